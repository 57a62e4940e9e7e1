"""The figures of one run, as plotly takes them. The page's script adds the colours of the theme."""

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from grok.figures.palette import COLOURS
from grok.measures.catalogue import metric
from grok.pages.axes import log_axis
from grok.pages.record import Record

INK = "ink"  # of the theme, in `meta`: black on white, white on black
# Metric, colour, dash, width and family of each curve among the losses; families are toggled together.
LOSSES = (
    ("loss/train", "train", "solid", 1.3, ""),
    ("loss/test", "test", "solid", 1.3, ""),
    ("progress/symmetrized_loss", "restricted", "solid", 2.4, "key-free"),
    ("progress/restricted_loss", "restricted", "dash", 1.3, "current keys"),
    ("final_keys/restricted_loss", "restricted", "dot", 2.0, "final keys"),
    ("progress/symmetrized_excluded_loss", "excluded", "solid", 2.4, "key-free"),
    ("progress/excluded_loss", "excluded", "dash", 1.3, "current keys"),
    ("final_keys/excluded_loss", "excluded", "dot", 2.0, "final keys"),
)
SHORT = {
    "progress/symmetrized_loss": "restricted, key-free",
    "progress/restricted_loss": "restricted, current keys",
    "final_keys/restricted_loss": "restricted, final keys",
    "progress/symmetrized_excluded_loss": "excluded, key-free",
    "progress/excluded_loss": "excluded, current keys",
    "final_keys/excluded_loss": "excluded, final keys",
}
NEARLY_ZERO = 0.5  # steps: where a logarithmic axis may start
FAINTEST = 1e-4  # share at the dark end of the heat maps
HEAT_HEIGHT, LABEL_HEIGHT = 330, 15  # pixels


def figure(traces: Sequence[Any], **layout: Any) -> dict[str, Any]:
    """Traces and layout as plain JSON; plotly refuses properties that it does not know."""
    text = go.Figure(list(traces), layout={"template": {}, **layout}).to_json()
    return json.loads(text)  # type: ignore[no-any-return]


def run_figures(record: Record) -> dict[str, dict[str, Any]]:
    """Every figure of the run's page by its name; those that the run has no measurements for are left out."""
    figures = {"losses": losses(record)}
    figures["gini"] = _panel(
        record,
        [("progress/gini_W_E", "W_E"), ("progress/gini_W_L", "W_L")],
        yaxis={"range": [0, 1], "title": {"text": "Gini coefficient"}},
        legend={"orientation": "v", "x": 0.03, "xanchor": "left", "y": 0.99, "yanchor": "top"},
    )
    figures["weights"] = _panel(
        record,
        [("progress/sum_squared_weights", INK)],
        yaxis={"rangemode": "tozero", "title": {"text": "sum of squares"}},
    )
    figures["count"] = _panel(
        record, [("keys/count", INK)], step=True, yaxis={**count_axis(record), "title": {"text": "key frequencies"}}
    )
    for matrix in ("W_E", "W_L"):
        figures[f"spectrum-{matrix}"] = spectrum(record, matrix)
    return {name: made for name, made in figures.items() if made["data"]}


def count_axis(record: Record) -> dict[str, Any]:
    """An axis of whole numbers from 0."""
    found = record.columns("keys/count")
    most = 1 if found is None else found[1].max()
    return {"rangemode": "tozero", "dtick": max(1, math.ceil(most / 6))}


def losses(record: Record) -> dict[str, Any]:
    """Train, test, restricted and excluded loss over the steps, by each choice of key frequencies."""
    traces = []
    for name, colour, dash, width, family in LOSSES:
        found = record.columns(name)
        if found is not None:
            label = SHORT.get(name) or metric(name).label
            line = {"color": COLOURS[colour], "dash": dash, "width": width}
            traces.append(_curve(*found, label, line, family=family, hover="%{y:.3~g}"))
    axis = {**log_axis(y for trace in traces for y in trace.y), "title": {"text": "loss [nats]"}}
    return figure(traces, yaxis=axis, shapes=_shades(record), hovermode="x unified", showlegend=True)


def _panel(record: Record, names: Sequence[tuple[str, str]], step: bool = False, **layout: Any) -> dict[str, Any]:
    traces = []
    for name, colour in names:
        found = record.columns(name)
        if found is not None:
            line = {"width": 2, "shape": "hv" if step else "linear"}
            if colour != INK:
                line["color"] = COLOURS[colour]
            traces.append(_curve(*found, metric(name).label, line, ink=colour == INK, hover="%{y:.4~g}"))
    return figure(traces, shapes=_shades(record), hovermode="x unified", showlegend=len(names) > 1, **layout)


def _curve(
    x: pd.Series, y: pd.Series, label: str, line: dict[str, Any], family: str = "", ink: bool = False, hover: str = ""
) -> go.Scatter:
    meta = {"family": family, "ink": ink}
    values = x.to_numpy(dtype=float), y.to_numpy(dtype=float)
    return go.Scatter(x=values[0], y=values[1], name=label, mode="lines", line=line, meta=meta, hovertemplate=hover)


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
    steps = shares.index.to_numpy(dtype=float)
    edges = np.concatenate([[max(steps[0], NEARLY_ZERO)], (steps[1:] + steps[:-1]) / 2, steps[-1:]])
    count = len(shares.columns)
    values = shares.to_numpy(dtype=np.float32).T
    heat = go.Heatmap(
        x=edges if len(steps) > 1 else steps,
        y=np.arange(1, count + 1),
        z=np.log10(values.clip(FAINTEST)),
        customdata=values,
        colorscale="Cividis",
        zmin=math.log10(FAINTEST),
        zmax=0,
        hovertemplate="step %{x:,.0f}<br>frequency %{y}<br>share %{customdata:.2%}<extra></extra>",
        colorbar={
            "title": {"text": "share", "side": "right"},
            "tickvals": [-4, -3, -2, -1, 0],
            "ticktext": ["≤ 0.01 %", "0.1 %", "1 %", "10 %", "100 %"],
            "thickness": 10,
            "len": 1,
            "x": 1.09,
            "outlinewidth": 0,
        },
    )
    yaxis = {"title": {"text": f"frequency k in {matrix}"}, "range": [0.5, count + 0.5], "zeroline": False}
    return figure([heat], annotations=_marks(record.key_frequencies, count), yaxis=yaxis, hovermode="closest")


def _marks(keys: Sequence[int], count: int) -> list[dict[str, Any]]:
    """The key frequencies at the right edge, set apart where they are neighbours."""
    pixels = [k * HEAT_HEIGHT / count for k in keys]
    places: list[float] = []
    for pixel in pixels:
        places.append(max(pixel, places[-1] + LABEL_HEIGHT) if places else pixel)
    if places:  # and back down from the top
        places[-1] = min(places[-1], HEAT_HEIGHT)
        for i in range(len(places) - 2, -1, -1):
            places[i] = min(places[i], places[i + 1] - LABEL_HEIGHT)
    return [
        {
            "text": f"<b>{k}</b>", "x": 1, "xref": "paper", "y": k, "yref": "y", "ax": 14, "ay": pixel - place,
            "xanchor": "left", "showarrow": True, "arrowhead": 0, "arrowwidth": 1,
        }
        for k, pixel, place in zip(keys, pixels, places, strict=True)
    ]  # fmt: skip
