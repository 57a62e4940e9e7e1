"""The page of one run: what happened, shown like the paper's Fig. 7 and Fig. 3, and how to do it again."""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from grok.loggers.wandb_history import run_url
from grok.measures.catalogue import FINAL, METRICS, Metric, metric
from grok.measures.panels import FAMILIES, PANELS
from grok.measures.phases import EVENTS, PHASES, REGIME_WORDS
from grok.pages import again
from grok.pages.analysis import parts, pictures
from grok.pages.axes import step_axis
from grok.pages.circles import circles
from grok.pages.page import page, write_page
from grok.pages.record import Record
from grok.pages.run_figures import plots, run_figures
from grok.runs.censoring import event_row, event_words
from grok.runs.configuration import leaves, task_words
from grok.runs.opened import held_out

SETTINGS_APART = ("callbacks", "logger", "folder", "resume", "sweep", "launch", "extras")


def run_page(record: Record, back: str | None = None, output: Path | None = None) -> Path:
    """Make `report.html` in the run's folder.

    Args:
        record: the run.
        back: link to the page of the sweep it belongs to.
    """
    figures = run_figures(record)
    imported = "imported_from" in record.summary
    happened = event_row(record.events, record.steps)
    text = page(
        "run.html",
        ("page.js", "run.js"),
        title=record.name,
        record=record,
        subtitle=subtitle(record),
        regime_words=REGIME_WORDS.get(record.regime or "", ""),
        phases=[(PHASES[phase], phase, start, end) for phase, start, end in record.phases],
        phase_names={f"phase-{i}": name for i, name in enumerate(PHASES)},
        events=[(METRICS[f"events/{name}"], event_words(happened, name)) for name in EVENTS],
        final=list(_final(record)),
        figures=figures,
        panels={name: PANELS[name] for name in plots() if name in figures},
        log=_begins_early(record),
        unseen=held_out(record.metrics) == "unseen",
        pairs=record.summary.get("pairs"),
        decades=record.summary.get("loss_decades"),
        mirrored_alone=mirrored_alone(record),
        parts=parts(record.analysis),
        pictures=pictures(record.folder.path / "analysis"),
        neurons_at=max(record.folder.snapshots(), default=0),
        families=families(record),
        circles=circles(record),
        steps=step_axis(record.metrics["step"]),
        settings=list(leaves({k: v for k, v in record.config.items() if k not in SETTINGS_APART}).items()),
        explained=_measured(record),
        command=None if imported else again.command(record.config) if record.config else record.summary.get("command"),
        imported=imported,
        back=back,
        wandb=run_url(record.folder),
    )
    return write_page((output or record.folder.path) / "report.html", text)


def subtitle(record: Record) -> str:
    """The task and the network in a sentence."""
    data, model, optim = (record.config.get(group) or {} for group in ("data", "model", "optim"))
    if not (data and model and optim):
        return "There is no config.yaml, so its settings are not known."
    task, network = (str(part.get("_target_", "")) for part in (data, model))
    if "operation" in data:
        pairs = record.summary.get("pairs") or {}
        share = data.get("train_fraction") or (pairs.get("train", 0) / (record.p or math.inf) ** 2)
        task = f"{task_words(data)}, trained on {100 * share:.3g} % of all pairs"
    if group := record.summary.get("group"):
        task += f" ({group['words']})"
    if "n_layers" in model:
        layers = "1 layer" if model["n_layers"] == 1 else f"{model['n_layers']} layers"
        neurons = f"{model['d_mlp']} neurons" if model.get("d_mlp") else "no MLP"
        network = f"{layers}, width {model['d_model']}, {model['n_heads']} heads, {neurons}"
    optimizer = str(optim.get("_target_", "AdamW")).rpartition(".")[2]
    rates = {"learning rate": optim.get("lr"), "weight decay": optim.get("wd")}
    how = "".join(f", {name} {'not known' if value is None else f'{value:g}'}" for name, value in rates.items())
    seeds = f"seeds {record.config.get('seed')} (weights) and {data.get('seed')} (split)"
    origin = f"imported from {record.summary['imported_from']}" if "imported_from" in record.summary else seeds
    return f"{task}; {network}; {optimizer}{how}; {origin}"


def mirrored_alone(record: Record) -> str:
    """Where mirrored pairs were furthest ahead of unseen ones, in a sentence; empty without mirrored pairs."""
    names = ("accuracy/mirrored", "accuracy/unseen")
    if any(record.columns(name) is None for name in names):
        return ""
    step, mirrored, unseen = (record.metrics[name].to_numpy(dtype=float) for name in ("step", *names))
    lead = np.nan_to_num(mirrored - unseen)
    at = int(lead.argmax())
    if lead[at] <= 0:
        return ""
    return (
        f"At step {step[at]:,.0f}, {100 * mirrored[at]:.0f} % of the mirrored pairs were answered,"
        f" and {100 * unseen[at]:.0f} % of the unseen ones."
    )


def _begins_early(record: Record) -> bool:
    """Whether memorization ended in the first tenth of the run, where a linear axis hides it."""
    when = record.events.get("memorization_end")
    return when is not None and when[1] < record.steps / 10


def families(record: Record) -> list[str]:
    """What curves of the page are computed by, to be shown and hidden together."""
    there = {metric.family for metric in _measured(record)}
    return [family for family in FAMILIES if family in there]


def _final(record: Record) -> Iterator[tuple[Metric, float]]:
    for name in FINAL:
        columns = record.columns(name)
        if columns is not None:
            yield metric(name), float(columns[1].iloc[-1])


def _measured(record: Record) -> list[Metric]:
    """The metrics that the panels show, in their order."""
    return [metric for metrics in plots().values() for metric in metrics if record.columns(metric.name) is not None]
