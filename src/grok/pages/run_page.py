"""The page of one run: what happened, shown like the paper's Fig. 7 and Fig. 3, and how to do it again."""

from collections.abc import Iterator
from pathlib import Path

from grok.loggers.wandb_history import run_url
from grok.measures.catalogue import METRICS, Metric, metric
from grok.measures.phases import EVENTS, PHASES, REGIME_WORDS
from grok.pages.axes import step_axis
from grok.pages.circles import circles
from grok.pages.page import page, write_page
from grok.pages.record import Record
from grok.pages.run_figures import LOSSES, run_figures
from grok.runs.configuration import leaves

SETTINGS_APART = ("callbacks", "logger", "folder", "resume", "sweep", "launch", "extras")
FINAL = (
    "loss/train", "loss/test", "loss/all", "accuracy/test", "progress/symmetrized_loss", "final_keys/restricted_loss",
    "final_keys/excluded_loss", "progress/gini_W_E", "progress/gini_W_L", "progress/sum_squared_weights", "keys/share",
    "neurons/explained",
)  # fmt: skip


def run_page(record: Record, back: str | None = None) -> Path:
    """Make `report.html` in the run's folder.

    Args:
        record: the run.
        back: link to the page of the sweep it belongs to.
    """
    figures = run_figures(record)
    text = page(
        "run.html",
        ("page.js", "run.js"),
        title=record.name,
        record=record,
        subtitle=subtitle(record),
        regime_words=REGIME_WORDS.get(record.regime or "", ""),
        phases=[(PHASES[phase], phase, start, end) for phase, start, end in record.phases],
        phase_names={f"phase-{i}": name for i, name in enumerate(PHASES)},
        events=[(METRICS[f"events/{name}"], record.events.get(name)) for name in EVENTS],
        final=list(_final(record)),
        figures=figures,
        families=list(dict.fromkeys(trace["meta"]["family"] for trace in figures["losses"]["data"])),
        circles=circles(record),
        steps=step_axis(record.metrics["step"]),
        settings=list(leaves({k: v for k, v in record.config.items() if k not in SETTINGS_APART}).items()),
        explained=_explained(record),
        back=back,
        wandb=run_url(record.folder),
    )
    return write_page(record.folder.path / "report.html", text)


def subtitle(record: Record) -> str:
    """The task and the network in a sentence."""
    data, model, optim = (record.config.get(group) or {} for group in ("data", "model", "optim"))
    if not (data and model and optim):
        return "There is no config.yaml, so its settings are not known."
    layers = "1 layer" if model.get("n_layers") == 1 else f"{model.get('n_layers')} layers"
    neurons = f"{model['d_mlp']} neurons" if model.get("d_mlp") else "no MLP"
    return (
        f"{data['operation']} mod {data['p']}, trained on {data['train_fraction']:.0%} of all pairs;"
        f" {layers}, width {model['d_model']}, {model['n_heads']} heads, {neurons};"
        f" AdamW, learning rate {optim['lr']:g}, weight decay {optim['wd']:g};"
        f" seeds {record.config.get('seed')} (weights) and {data.get('seed')} (split)"
    )


def _final(record: Record) -> Iterator[tuple[Metric, float]]:
    for name in FINAL:
        found = record.columns(name)
        if found is not None:
            yield metric(name), float(found[1].iloc[-1])


def _explained(record: Record) -> list[Metric]:
    """The metrics that the panels show, in their order."""
    shown = [name for name, *_ in LOSSES]
    shown += ["progress/gini_W_E", "progress/gini_W_L", "progress/sum_squared_weights", "keys/count"]
    return [metric(name) for name in shown if record.columns(name) is not None]
