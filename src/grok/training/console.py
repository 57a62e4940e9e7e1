"""What a run says when it starts and when it ends."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig
from rich.console import Console
from rich.table import Table as RichTable

from grok.measures import paper
from grok.measures.catalogue import FINAL, metric
from grok.measures.phases import REGIME_WORDS
from grok.runs.censoring import event_row, event_words
from grok.runs.conclusion import Conclusion
from grok.runs.configuration import task_words
from grok.runs.folder import RunFolder
from grok.runs.trust import has_own_parts
from grok.settings import places
from grok.settings.pasting import command, from_here, next_commands, resume_command
from grok.training.lit import FullBatchData, FullBatchTraining


def is_mainline(config: DictConfig) -> bool:
    """Whether the paper's numbers are for a run like this, but for its seeds and length."""
    mainline = {
        "data": {"p": 113, "operation": "addition", "train_fraction": 0.3},
        "model": {"d_model": 128, "n_heads": 4, "d_mlp": 512, "n_layers": 1, "activation": "relu", "dropout": 0},
        "optim": {"_target_": "torch.optim.AdamW", "lr": 1e-3, "wd": 1},
    }
    return all(
        config[group].get(name) == value for group, settings in mainline.items() for name, value in settings.items()
    )


def _network_words(config: DictConfig) -> str:
    """The paper's transformer by its sizes, a network of one's own by its class."""
    model = config.model
    if "n_layers" not in model:
        return str(model._target_)
    layers = "1 layer" if model.n_layers == 1 else f"{model.n_layers} layers"
    neurons = f"{model.d_mlp} neurons ({model.activation})" if model.d_mlp else "no MLP"
    return f"{layers}, width {model.d_model}, {model.n_heads} heads, {neurons}"


def announce(
    console: Console,
    config: DictConfig,
    data: FullBatchData,
    module: FullBatchTraining,
    summary: Mapping[str, Any],
    notes: Sequence[str],
) -> None:
    """What will be trained, in a few lines."""
    p, optim = data.p, config.optim
    train, mirrored = (data.all.counts[name] for name in ("train", "mirrored"))
    sides = ", a pair and its mirror (b, a) on one side" if config.data.get("split") == "unordered" else ""
    parameters = sum(w.numel() for w in module.network.parameters())
    ending = "or a tenth beyond stable" if config.stop == "stable" else "all of them"
    optimizer = optim._target_.rpartition(".")[2]
    lines = [
        f"{task_words(config.data)}: {train:,} of {p * p:,} pairs to train on, the others to test{sides}",
        *(
            [f"{mirrored:,} test pairs are mirrors of trained ones, {p * p - train - mirrored:,} unseen"]
            * bool(mirrored)
        ),
        f"{_network_words(config)}: {parameters:,} parameters",
        f"full-batch {optimizer} ({module.configure_optimizers().how}), lr {optim.lr:g}, weight decay {optim.wd:g};"
        f" {config.trainer.max_steps:,} steps, {ending}",
        f"on {summary['device']}, {summary['threads']} {'thread' if summary['threads'] == 1 else 'threads'}",
        *notes,
        *([f"W&B {summary['wandb_mode']}"] if config.logger and "wandb_mode" in summary else []),
        *(places.where_runs_go() if Path(config.folder).is_relative_to(places.logs_folder()) else []),
        f"folder {config.folder}",
    ]
    for line in lines[:-1]:  # a window wraps words; a path, and what is read by programs, stays whole
        console.print(line, highlight=False, markup=False, soft_wrap=not console.is_terminal)
    console.print(lines[-1], highlight=False, markup=False, soft_wrap=True)


def conclude_aloud(console: Console, config: DictConfig, folder: RunFolder, conclusion: Conclusion) -> None:
    """The rich table at the end: events, key frequencies and measures, the paper's beside where they apply."""
    summary = folder.summary()
    mainline = is_mainline(config)
    table = RichTable(title=_verdict(summary), title_justify="left")
    table.add_column("")
    table.add_column("this run", justify="right")
    if mainline:
        table.add_column("the paper", justify="right")

    def row(name: str, value: str, in_paper: str = "") -> None:
        table.add_row(name, value, *([in_paper] if mainline else []))

    happened = event_row(dict(conclusion.events.items()), summary["steps"])
    for name, _ in conclusion.events.items():
        words = event_words(happened, name) or "-"
        row(metric(f"events/{name}").label, words, f"{paper.EVENTS[name]:,}" if name in paper.EVENTS else "")
    by_test = event_row(dict(conclusion.events_by_test.items()), summary["steps"])
    for name in ("cleanup_start", "generalized") if conclusion.held_out == "unseen" else ():
        row(f"{metric(f'events/{name}').label}, by all test pairs", event_words(by_test, name) or "-")
    row("events are read from", f"{conclusion.held_out} pairs")
    table.add_section()
    found = conclusion.key_frequencies
    row("key frequencies", " ".join(map(str, found or [])) or "none", " ".join(map(str, paper.KEY_FREQUENCIES)))
    decided = conclusion.keys_decided["contained"]
    row("all of them in the key set from step", "-" if decided is None else f"{decided:,}")
    table.add_section()
    final = summary["final"]
    for name in FINAL:
        if final.get(name) is not None:
            remark = f" ({paper.REMARKS[name]})" if name in paper.REMARKS else ""
            row(metric(name).label, _number(final[name]), _number(paper.VALUES.get(name)) + remark)
    console.print(table)


def closing_words(path: Path, status: str, reason: str | None) -> str:
    """Where everything is, and what to type next."""
    if status == "interrupted":
        return next_commands(resume_command(path, has_own_parts(path)), words=f"interrupted ({reason}); to go on")
    here = from_here(path)
    if status == "diverged":
        where = f"{reason} The last good checkpoint and everything before are in {path}"
        return f"{where}\n{next_commands(command('report', here))}"
    return f"everything is in {path}\n{next_commands(command('report', here), command('analyze', here))}"


def _number(value: float | tuple[float, float] | None) -> str:
    """A value, or the two that it lies between, in four digits at most; empty for None."""
    if isinstance(value, tuple):
        return " to ".join(map(_number, value))
    if value is None:
        return ""
    return f"{value:.4g}" if 1e-3 <= abs(value) < 1e5 or value == 0 else f"{value:.2e}"


def _verdict(summary: dict[str, Any]) -> str:
    regime = summary["regime"]
    lines = [
        f"{summary['status']} after {summary['steps']:,} steps, {summary['steps_per_second']:,.0f} steps/s",
        f"{regime}: {REGIME_WORDS[regime]}",
        *(
            ["its weight norm had converged; it trained a tenth longer and ended"]
            if summary["ended"] == "stable"
            else []
        ),
        *(["unstable: the train loss jumped on the way (slingshots)"] if summary["unstable"] else []),
    ]
    return "\n".join(lines)
