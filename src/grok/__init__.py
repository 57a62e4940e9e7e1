"""Grokking, measured: "Progress measures for grokking via mechanistic interpretability" as experiments.

In a notebook:

    import grok
    run = grok.train_run(["experiment=quick"])       # or grok.open_run("logs/train/…")
    run.metrics, run.events, run.claims(), run.figure("progress")
    grok.open_sweep("logs/train/…_sweep").table
    grok.open_network("theirs.pth", train_fraction=0.3, seed=0).claims()

On a command line, each `python -m grok.<name> --help`: train, status, collect, analyze, report, export, sync,
final_keys. Importing this package imports nothing else.
"""

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if sys.argv[:1] == ["-m"] and any(word.startswith("grok.") for word in sys.orig_argv):  # a command
    if not sys.flags.safe_path and sys.path[:1] == [os.getcwd()]:
        del sys.path[0]  # it is typed in all kinds of folders, also in strangers': nothing is imported from there
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C while it imports ends it without a traceback

if TYPE_CHECKING:
    from grok.notebook.network import Network
    from grok.notebook.run import Run
    from grok.notebook.sweep import Sweep

__all__ = ["open_network", "open_run", "open_sweep", "train_run"]


def open_run(folder: str | Path) -> "Run":
    """The run in `folder`. `ValueError` if it holds none."""
    from grok.notebook.run import Run  # noqa: PLC0415 - `import grok` stays fast

    run = Run(folder)
    run.config  # noqa: B018 - refuses a folder that is no run
    return run


def open_sweep(folder: str | Path) -> "Sweep":
    """The sweep in `folder`. `ValueError` if it holds none."""
    from grok.notebook.sweep import Sweep  # noqa: PLC0415 - as above

    return Sweep(folder)


def open_network(
    file: str | Path,
    *,
    p: int | None = None,
    operation: str | None = None,
    train_fraction: float | None = None,
    seed: int | None = None,
    split: str | Path | None = None,
    activation: str | None = None,
    tokens: str | None = None,
    attention: str | None = None,
    attention_rate: float | None = None,
    key_frequencies: str | Sequence[int] = "W_L",
) -> "Network":
    """Somebody else's network, in the authors' layout or TransformerLens'. No code in the file is run.

    Args:
        file: .pth, .pt or .safetensors.
        p, operation, train_fraction, seed, activation: where the file does not say them.
        tokens: "a b =", "= a b" or "a b"; the answer is read at the last.
        attention: "causal" or "bidirectional".
        attention_rate: share of softmax in attention; 0 is the constant attention of a pizza.
        split: file of its training pairs.
        key_frequencies: their rule, or a list of them.
    """
    from grok.notebook.network import network_in  # noqa: PLC0415 - as above

    told = {"p": p, "operation": operation, "train_fraction": train_fraction, "seed": seed}
    read = {"activation": activation, "tokens": tokens, "attention": attention, "attention_rate": attention_rate}
    settings = {f"data.{name}": x for name, x in told.items()} | {f"model.{name}": x for name, x in read.items()}
    return network_in(file, {**settings, "split": split}, key_frequencies)


def train_run(overrides: Sequence[str] = (), folder: str | Path | None = None, *, silent: bool = False) -> "Run":
    """Train one run in this process and open it.

    Args:
        overrides: as typed after `python -m grok.train`, such as ["data.p=41", "logger=none"].
        folder: of the run; by default a new one in logs/.
        silent: print nothing.

    Raises `ValueError` for settings that the command refuses. A run that is interrupted or diverges is
    returned; `run.summary["status"]` says so.
    """
    from grok.notebook.training import trained  # noqa: PLC0415 - as above

    return trained(overrides, folder, silent)
