"""Open a trained network and check every claim of the paper.

usage: grok analyze [folder or file …] [setting=value …]

folder                       of a run; of a sweep or of several runs: one table,
                             claims down, networks across, and claims.csv;
                             latest or nothing: the one measured last
step=1200                    which snapshot, by its optimizer step
step=last                    the last one outside a slingshot, the default
steps=all                    the whole history as well
key_frequencies=W_L          their rule: W_L, max, W_E, neurons, logits, waves;
                             by default the run's own
key_frequencies=[14,35]      or a list
figures=all                  pictures; or none, or a list of names
figures.style.formats=[png,pdf]
                             PDFs too; this and the three below are by
                             default as the run's
figures.style.font=sans      or serif
figures.style.size=8         of text, in points
figures.style.width=column   or two_columns, or a number of centimetres
output=<folder>              where pictures and analysis.json go
verbose=true                 the long table: levels, notes, an untrained
                             network, every loss
trust=true                   import a task or a network of somebody's own that
                             the run's configuration names
threads=1                    CPU threads

Somebody else's network (short names work too: p, train_fraction, seed, tokens):

checkpoint=<file>            or the file in place of the folder
split=<file>                 the file of its training pairs
data.p=113                   modulus, where the file does not tell; so with the
                             three below
data.operation=addition      addition, subtraction or x2+xy+y2
data.train_fraction=0.3      share of the p² pairs that it trained on
data.seed=0                  of the authors' way to draw them
model.tokens='a b ='         or '= a b', or 'a b'; read at the last
model.attention=causal       or bidirectional
model.attention_rate=1       share of softmax in attention; 0: constant
model.activation=relu        or gelu, tanh, quadratic

grok analyze
grok analyze logs/train/2026-01-31_12-00-00_p59 steps=all
grok analyze theirs.pth p=113 train_fraction=0.3 seed=0
"""

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from rich.console import Console

from grok.analysis.arguments import analysis
from grok.analysis.comparison import analyzed, run_folders, show_comparison
from grok.analysis.contents import contents, warnings_about
from grok.analysis.examination import examination
from grok.analysis.history import history
from grok.analysis.screen import show
from grok.figures.choice import PicturedNetwork, draw
from grok.runs.files import write_text
from grok.runs.named import LATEST, folder_named, folders_in, is_sweep
from grok.settings.commands import run
from grok.settings.pasting import command, from_here, next_commands
from grok.training.machine import keep_memory


def report(arguments: Sequence[str], console: Console | None = None) -> dict[str, Any]:
    """What analysis.json says; it, the history and the pictures are written, the tables shown.

    Of several run folders or files, or of a sweep: {"claims": a row for each network and claim}.
    """
    console = console or Console(width=None if sys.stdout.isatty() else 160)
    typed = [Path(argument) for argument in arguments if "=" not in argument]
    settings = [argument for argument in arguments if "=" in argument]
    if not typed and not any(setting.startswith("checkpoint=") for setting in settings):
        typed = [Path(LATEST)]
    paths = [folder_named(path, measured=True) for path in typed]
    if len(paths) > 1 or any((path.is_dir() and folders_in(path) != [path]) or is_sweep(path) for path in paths):
        return _compare(paths, settings, console)
    return _examine([*map(str, paths), *settings], console)


def _compare(paths: Sequence[Path], settings: Sequence[str], console: Console) -> dict[str, Any]:
    given = dict(text.split("=", 1) for text in settings)
    if refused := given.keys() & {"checkpoint", "split"}:
        raise ValueError(f"`{min(refused)}` is for one network. Got {len(paths)} folders, or a sweep.")
    output = given.pop("output", None if len(paths) > 1 else str(paths[0]))
    settings = [f"{name}={value}" for name, value in given.items()]
    quiet, pictures = Console(quiet=True), [] if "figures" in given else ["figures=none"]
    runs = run_folders(paths)
    claims, failed = analyzed(runs, lambda path: _examine([str(path), *pictures, *settings], quiet))
    show_comparison(console, claims, failed)
    if claims.empty:
        raise ValueError(f"None of {len(runs)} networks could be analyzed.")
    if output is None:
        console.print("output=<folder> keeps the table, with every value, as claims.csv")
    else:
        write_text(Path(output) / "claims.csv", claims.to_csv(index=False))
        console.print(f"everything is in {Path(output) / 'claims.csv'}", highlight=False, markup=False, soft_wrap=True)
    if len(paths) == 1:
        _print_next(console, paths[0])
    return {"claims": claims.to_dict("records")}


def _examine(arguments: Sequence[str], console: Console) -> dict[str, Any]:
    began = time.perf_counter()
    keep_memory()
    request = analysis(arguments)
    subject, folder = request.subject, request.folder
    examined = examination(subject, folder, request.rule)
    facts = examined.facts
    with torch.no_grad():
        rows = list(history(folder, facts.key_frequencies)) if folder and request.history else []
    results = contents(subject, folder, request.rule, examined, warnings_about(subject, examined))
    write_text(request.results / "analysis.json", json.dumps(results, indent=1, allow_nan=False) + "\n")
    if rows:
        write_text(request.results / "analysis_history.csv", pd.DataFrame(rows).to_csv(index=False))
    show(console, results, time.perf_counter() - began, request.verbose)
    lines = [f"everything is in {request.results / 'analysis.json'}"]
    if request.figures:
        pictured = PicturedNetwork(subject.name, subject.step, *examined, folder, pd.DataFrame(rows) if rows else None)
        drawn = draw(request.figures, request.pictures, pictured, request.looks)
        lines = [f"{len(drawn)} pictures in {request.pictures}", *lines]
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    if folder:
        _print_next(console, folder.path)
    return results


def _print_next(console: Console, folder: Path) -> None:
    words = next_commands(command("report", from_here(folder)))
    console.print(words, highlight=False, markup=False, soft_wrap=True)


def main() -> None:
    """The command."""
    run(report, __doc__)


if __name__ == "__main__":
    main()
