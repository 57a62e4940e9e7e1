"""The figures of one run, as plotly takes them. The page's script adds the colours of the theme."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from grok.figures.palette import COLOURS, line
from grok.measures.catalogue import Metric, curves
from grok.measures.panels import PANELS, Panel
from grok.pages.axes import log_axis
from grok.pages.neurons import neuron_figures
from grok.pages.plots import NEARLY_ZERO, edges, figure, marks
from grok.pages.portrait import portrait
from grok.pages.record import Record

INK = "ink"  # of the theme, in `meta`: black on white, white on black
MOST_COLUMNS = 160  # of a heat map, about one in five pixels
FAINTEST = 1e-4  # share at the dark end of the heat maps


def plots() -> dict[str, list[Metric]]:
    """The plots of a run's page, named by their panels, and the metrics of each."""
    shown: dict[str, list[Metric]] = {}
    for name, panel in PANELS.items():
        if panel.on_page:
            shown.setdefault(panel.beside or name, []).extend(curves(name))
    return shown


def run_figures(record: Record) -> dict[str, dict[str, Any]]:
    """Every figure of the run's page by its name; those that the run has no measurements for are left out."""
    figures = {name: plot(record, PANELS[name], metrics) for name, metrics in plots().items()}
    figures |= {f"spectrum-{matrix}": spectrum(record, matrix) for matrix in ("W_E", "W_L")}
    figures |= {"portrait": portrait(record), **neuron_figures(record)}
    return {name: made for name, made in figures.items() if made["data"]}


def plot(record: Record, panel: Panel, metrics: Sequence[Metric]) -> dict[str, Any]:
    """The curves of `metrics` over the steps, on the axes of `panel`."""
    drawn = [(metric, columns) for metric in metrics if (columns := record.columns(metric.name)) is not None]
    traces = [_curve(metric, *columns, counts=panel.counts) for metric, columns in drawn]
    axis = {**_axis(panel, [columns[1] for _, columns in drawn]), "title": {"text": panel.axis}}
    return figure(traces, yaxis=axis, shapes=_shades(record), hovermode="x unified", showlegend=len(metrics) > 1)


def _axis(panel: Panel, values: Sequence["pd.Series[float]"]) -> dict[str, Any]:
    if panel.log:
        return log_axis(value for series in values for value in series)
    if panel.top is not None:
        return {"range": [0, 1.02 * panel.top]}  # room for a line at the top
    most = max((series.max() for series in values), default=1)
    return {"rangemode": "tozero", **({"dtick": max(1, math.ceil(most / 6))} if panel.counts else {})}


def _curve(metric: Metric, x: pd.Series, y: pd.Series, counts: bool) -> go.Scatter:
    dash, width = line(metric.colour, metric.family)
    drawn: dict[str, Any] = {"dash": dash, "width": width, "shape": "hv" if counts else "linear"}
    if metric.colour:
        drawn["color"] = COLOURS[metric.colour]
    return go.Scatter(
        x=x.to_numpy(dtype=float),
        y=y.to_numpy(dtype=float),
        name=metric.legend,
        mode="lines",
        line=drawn,
        meta={"family": metric.family, INK: not metric.colour},
        hovertemplate="%{y:.4~g}",
    )


def _shades(record: Record) -> list[dict[str, Any]]:
    """A rectangle behind each phase, named for the script to colour."""
    place = {"type": "rect", "xref": "x", "yref": "paper", "y0": 0, "y1": 1, "layer": "below", "line": {"width": 0}}
    return [
        {**place, "name": f"phase-{phase}", "x0": max(start, NEARLY_ZERO), "x1": end}
        for phase, start, end in record.phases
    ]


def spectrum(record: Record, matrix: str) -> dict[str, Any]:
    """The share of every frequency in `matrix` over the steps, the key frequencies marked at the right."""
    table = record.spectra
    if "matrix" not in table or not (table["matrix"] == matrix).any():
        return {"data": []}
    shares = table[table["matrix"] == matrix].set_index("step").drop(columns="matrix")
    shares = shares.loc[record.thinned(shares.index.tolist(), MOST_COLUMNS)]
    count = len(shares.columns)
    values = shares.to_numpy(dtype=np.float32).T
    heat = go.Heatmap(
        x=edges(shares.index.tolist()),
        y=np.arange(1, count + 1),
        z=np.log10(values.clip(FAINTEST)),
        customdata=values,
        colorscale="Cividis",
        zmin=math.log10(FAINTEST),
        zmax=0,
        hovertemplate="step %{x:,.0f}<br>frequency %{y}<br>share %{customdata:.2%}<extra></extra>",
        colorbar={
            "title": {"text": "share", "side": "right", "font": {"size": 12}},
            "tickvals": [-4, -3, -2, -1, 0],
            "ticktext": ["≤ 0.01 %", "0.1 %", "1 %", "10 %", "100 %"],
            "thickness": 10,
            "len": 1,
            "x": 1.09,
            "outlinewidth": 0,
        },
    )
    yaxis = {"title": {"text": f"frequency k in {matrix}"}, "range": [0.5, count + 0.5], "zeroline": False}
    return figure(
        [heat], annotations=marks({k: k for k in record.key_frequencies}, count), yaxis=yaxis, hovermode="closest"
    )
