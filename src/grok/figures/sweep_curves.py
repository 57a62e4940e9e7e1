"""The losses of all runs of a sweep over each other."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from grok.figures.curves import DASHES, log_steps, log_values
from grok.figures.palette import PAGE
from grok.figures.style import figure_of, head, label_outside, legend_below
from grok.figures.words import setting_words, value_words, values_of
from grok.measures.catalogue import metric
from grok.runs.folder import RunFolder

METRICS = ("loss/train", "loss/test", "progress/symmetrized_loss")


def curves_figure(path: Path, table: pd.DataFrame, varying: Sequence[str], colour: str | None) -> Figure:
    """Train loss, test loss and the key-free symmetrized loss of all runs over each other, a line a run.

    One should see test loss leave train loss behind, and come down late where a run groks, the symmetrized
    loss long before it. One setting has colours and another dashes; the legend says which are not told apart.
    The network before step 1 has no place on the axis of steps.
    """
    figure, axes, columns = figure_of(len(METRICS), 5.2, 5.0, sharex=True, sharey=True)
    dashed = next((name for name in varying if name != colour and len(values_of(table, name)) <= len(DASHES)), None)
    colours = _looks(table, colour, lambda n: matplotlib.colormaps["viridis"](np.linspace(0, 0.88, n)))
    dashes = _looks(table, dashed, lambda n: list(DASHES.values())[:n])
    drawn = []
    for _, row in table.iterrows():
        folder = RunFolder(path / row["run"])
        if row["status"] == "damaged" or not folder.holds(folder.metrics):
            continue
        measured = folder.read(folder.metrics)
        measured = measured[measured["step"] > 0]
        drawn += measured["step"].tolist()
        for ax, name in zip(axes, METRICS, strict=True):
            if name in measured:
                shade = colours.get(row[colour], PAGE["ink"]) if colour else PAGE["ink"]
                dash = dashes.get(row[dashed], "-") if dashed else "-"
                ax.plot(measured["step"], measured[name], color=shade, ls=dash, lw=0.7, alpha=0.8)
    for number, (ax, name) in enumerate(zip(axes, METRICS, strict=True)):
        log_steps(ax, min(drawn, default=1), max([*drawn, 10]))
        log_values(ax)
        head(ax, number, metric(name).label)
    label_outside(axes, columns, "step", f"loss [{metric(METRICS[0]).unit}]")
    marks = [Line2D([], [], color=shade, label=_named(colour, value)) for value, shade in colours.items()]
    marks += [Line2D([], [], color=PAGE["ink"], ls=dash, label=_named(dashed, value)) for value, dash in dashes.items()]
    alike = [setting_words(name) for name in varying if name not in (colour, dashed)]
    words = f"a line a run; not told apart: {', '.join([*alike, 'seeds'])}"
    legend_below(figure, marks, title=words)
    return figure


def _looks(table: pd.DataFrame, setting: str | None, looks: Any) -> dict[Any, Any]:
    values: Sequence[Any] = values_of(table, setting) if setting else []
    found: Iterable[Any] = looks(len(values))
    return dict(zip(values, found, strict=True))


def _named(setting: str | None, value: object) -> str:
    return f"{setting_words(str(setting))} {value_words(value)}"
