"""Write a run's network in other people's layouts.

usage: grok export [folder] [layout=…] [step=…] [output=…]

folder                       of a run, of a sweep, or of several of them;
                             latest or nothing: the one that was measured last
layout=authors               of the paper's authors, the default
layout=transformer_lens      of TransformerLens
step=1200                    which snapshot, by its optimizer step
step=last                    the last one outside a slingshot, the default
output=<file>                .pth, .pt or .safetensors, for one run; by default
                             in exports/ of the run's folder

grok export
grok export logs/train/2026-01-31_12-00-00_p59 layout=transformer_lens step=1200
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from grok.networks import exporting, weight_files
from grok.networks.subject import FUNCTIONS
from grok.runs.named import folder_named, for_each
from grok.runs.opened import OpenedRun
from grok.settings.commands import run, settings
from grok.settings.pasting import command, from_here, next_commands
from grok.sweep.run_status import run_folders

KNOWN: dict[str, Any] = {"layout": "authors", "step": "last", "output": None}


def config_of(config: DictConfig, weights: dict[str, Any], layout: str) -> dict[str, Any]:
    """What readers of the layout look for: the authors' names of settings, for TransformerLens its own too."""
    data, model, optim = config.data, config.model, config.optim
    names = {ours: theirs for theirs, ours in FUNCTIONS.items()}
    rows = weights["embed.W_E"].shape[1 if layout == "authors" else 0]  # of the symbols and "="
    found = {
        "p": rows - 1,
        **({} if data.p == rows - 1 else {"modulus": data.p}),
        "frac_train": data.train_fraction,
        "seed": data.seed,
        **({} if data.get("split", "pairs") == "pairs" else {"data.split": data.split}),
        "fn_name": names.get(data.operation, data.operation),
        "lr": optim.lr,
        "weight_decay": optim.wd,
        "num_layers": model.n_layers,
        "num_heads": model.n_heads,
        "d_model": model.d_model,
        "d_mlp": model.d_mlp,
        "act_type": {"relu": "ReLU", "gelu": "GeLU"}[model.activation],
    }
    if layout == "transformer_lens":
        found |= {
            "n_layers": model.n_layers,
            "n_heads": model.n_heads,
            "d_head": model.d_model // model.n_heads,
            "n_ctx": 3,
            "d_vocab": rows,
            "d_vocab_out": weights["unembed.W_U"].shape[1],
            "act_fn": model.activation,
            "attn_only": model.d_mlp == 0,
            "normalization_type": None,
            "data.seed": data.seed,  # of the split; TransformerLens' own `seed` is that of the weights
        }
    return found


def export(arguments: Sequence[str]) -> None:
    """Write a file for every run named and say where it is."""
    typed, told = settings(arguments, KNOWN)
    path = folder_named(typed, measured=True)
    folders = run_folders(path)
    if told["output"] and len(folders) > 1:
        raise ValueError(f"`output` is for one run. {path} holds {len(folders)}.")
    for_each(folders, lambda folder: _export(folder, told))


def _export(path: Path, told: Mapping[str, Any]) -> None:
    opened = OpenedRun(path)
    step = opened.step(told["step"])
    state = exporting.exported(opened.folder.load_snapshot(step), told["layout"])
    file = Path(told["output"] or path / "exports" / f"{told['layout']}_step_{step:08d}.pth")
    beside: dict[str, Any] = {"epoch": step}
    measured = opened.metrics
    if not measured.empty:
        measured = measured[measured["step"] <= step]
        for name, column in (("epochs", "step"), ("train_losses", "loss/train"), ("test_losses", "loss/test")):
            if column in measured:
                beside[name] = measured[column].tolist()  # one a measurement
    weight_files.save(file, state, config_of(opened.config, state, told["layout"]), beside)
    print(f"step {step} of {path}, in the layout of {told['layout']}: {file}")
    print(next_commands(command("analyze", from_here(file))))


def main() -> None:
    """The command."""
    run(export, __doc__)


if __name__ == "__main__":
    main()
