"""What the test set hides: pairs whose mirror is trained, beside those that are held out."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from grok.figures.curves import Phases, chance, draw_curve, legends_above, log_values, name_phases, shade
from grok.figures.palette import PAGE
from grok.figures.style import figure_of, label_outside
from grok.measures.catalogue import metric

PAIRS = ("train", "mirrored", "unseen")
KEY_FREE = "progress/symmetrized_loss"


def has_mirrored(metrics: pd.DataFrame) -> bool:
    """Whether the run measured mirrored pairs beside unseen ones."""
    names = [f"{what}/{pairs}" for what in ("accuracy", "loss") for pairs in PAIRS]
    return set(names) <= set(metrics) and bool(metrics[names].notna().all(axis=1).any())


def pairs_figure(
    metrics: pd.DataFrame, phases: Phases, title: str, p: int | None = None, history: pd.DataFrame | None = None
) -> Figure:
    """Accuracy and loss on trained, mirrored and unseen pairs, and the key-free loss over unseen pairs.

    One should see mirrored pairs answered almost as soon as trained ones, while unseen pairs stay at chance: test
    accuracy, a mixture of the two, rises early by memory alone. The key-free loss over all test pairs, where it was
    computed, falls early for the same reason; over unseen pairs it falls with the circuit.

    Args:
        history: of all snapshots, for `symmetrized_loss_test`.
    """
    over_test = history is not None and "symmetrized_loss_test" in history
    panels = ["accuracy", "loss", *(["key-free"] if KEY_FREE in metrics else [])]
    figure, axes, columns = figure_of(len(panels), 5.4, 5.6, sharex=True)
    for ax, what in zip(axes[:2], panels, strict=False):
        for pairs in PAIRS:
            shown = metric(f"{what}/{pairs}")
            draw_curve(ax, shown, metrics["step"], metrics[shown.name], None if what == "accuracy" else "_again")
    axes[0].set(ylabel="accuracy", ylim=(0, 1.02))
    for ax in axes[1:]:
        ax.set_ylabel("loss [nats]")
    if len(axes) > 2:
        _key_free(axes[2], metrics, history if over_test else None)
    for ax in axes[1:]:
        log_values(ax)
        chance(ax, p, ax is axes[1])
    titles: Sequence[str] = ("accuracy", "loss", "key-free loss")
    for ax in axes:
        shade(ax, phases, metrics["step"])
    legends_above(axes, titles[: len(axes)], columns)
    label_outside(axes, columns, "step")
    name_phases(figure, phases, metrics["step"])
    figure.suptitle(title)
    return figure


def _key_free(ax: Axes, metrics: pd.DataFrame, history: pd.DataFrame | None) -> None:
    draw_curve(ax, metric(KEY_FREE), metrics["step"], metrics[KEY_FREE], "over unseen pairs")
    if history is not None:
        values = history["symmetrized_loss_test"]
        ax.plot(history["step"], values, color=PAGE["ink"], lw=1.2, ls=(0, (3, 1.5)), label="over all test pairs")
