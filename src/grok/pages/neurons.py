"""Which frequency each neuron reads out, over training, and at which phase in the end."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
import torch
from jaxtyping import Float, Int
from torch import Tensor

from grok.figures.palette import key_colours
from grok.pages.circles import strongest
from grok.pages.plots import edges, figure, marks
from grok.pages.record import Record
from grok.tasks import fourier

LAST = re.compile(r"blocks\.(\d+)\.W_out")
MOST_STEPS = 60
OWNED = 0.5  # share of a neuron's column of W_L above which it has a frequency


@dataclass(frozen=True)
class Columns:
    """The columns of the neuron-logit map W_L at one step, one a neuron.

    Args:
        frequency: that holds the most of a column's squared norm.
        share: of the squared norm, the mean left out, that lies in it.
        phase: φ of the column's wave cos(w_k c - φ), in units of π, from -1 to 1.
    """

    frequency: Int[Tensor, " neuron"]
    share: Float[Tensor, " neuron"]
    phase: Float[Tensor, " neuron"]


def columns(W_L: Float[Tensor, "p d_mlp"]) -> Columns:
    """The strongest frequency of each neuron in W_L (paper §4.2, Fig. 5)."""
    p = len(W_L)
    components = fourier.basis(p)[1:] @ W_L.double()
    energy = fourier.energies(components.square())
    best, index = energy.max(0)
    cos = components.gather(0, 2 * index[None])[0]
    sin = components.gather(0, (2 * index[None] + 1).clamp(max=len(components) - 1))[0]
    sin = torch.where(2 * index + 1 < len(components), sin, 0.0)  # p/2 has no sine
    share = best / energy.sum(0).clamp_min(torch.finfo(torch.float64).tiny)
    return Columns(index + 1, share, torch.atan2(sin, cos) / torch.pi)


def neuron_figures(record: Record) -> dict[str, dict[str, Any]]:
    """`neurons` over the steps and `neuron-phases` at the last; none without an MLP, snapshots or key frequencies."""
    frequencies = list(strongest(record))
    steps = record.thinned(list(record.folder.snapshots()), MOST_STEPS) if record.order is not None else []
    history = {step: columns(W_L) for step in steps if (W_L := _W_L(record, step)) is not None}
    if not frequencies or not history:
        return {}
    last = history[max(history)]
    final = _rows(last, frequencies)
    order = sorted(range(len(final)), key=lambda n: (int(final[n]) or len(frequencies) + 1, float(last.phase[n])))
    table = np.array([_rows(found, frequencies)[order] for found in history.values()]).T
    return {"neurons": _over_steps(list(history), table, frequencies), "neuron-phases": _phases(last, frequencies)}


def _W_L(record: Record, step: int) -> Float[Tensor, "p d_mlp"] | None:
    """W_U W_out of the last block over the numbers; None of networks that have none, or not by these names."""
    try:
        weights = record.folder.load_snapshot(step)
    except OSError:  # thinned out while we read
        return None
    blocks = sorted((int(found[1]), name) for name in weights if (found := LAST.fullmatch(name)))
    if not blocks or "W_U" not in weights:
        return None
    return record.in_order(weights["W_U"]).double().T @ weights[blocks[-1][1]].double()


def _rows(found: Columns, frequencies: Sequence[int]) -> "np.ndarray[Any, np.dtype[np.uint8]]":
    """Of each neuron, 1 + the place of its frequency among the key frequencies; 0 where it has none of them."""
    owned = torch.where(found.share > OWNED, found.frequency, 0).numpy()
    return sum((i * (owned == k) for i, k in enumerate(frequencies, 1)), np.zeros_like(owned)).astype(np.uint8)


def _over_steps(steps: Sequence[int], table: "np.ndarray[Any, Any]", frequencies: Sequence[int]) -> dict[str, Any]:
    """The frequency of every neuron, a row each, in the order of the last network."""
    final = table[:, -1]
    rows = {k: float(np.mean(np.flatnonzero(final == i))) for i, k in enumerate(frequencies, 1) if (final == i).any()}
    heat = go.Heatmap(
        x=edges(steps),
        z=table,
        zmin=-0.5,
        zmax=len(frequencies) + 0.5,
        showscale=False,
        meta={"colours": [None, *key_colours(frequencies).values()]},
        customdata=np.array([0, *frequencies], dtype=np.min_scalar_type(max(frequencies)))[table],
        hovertemplate="step %{x:,.0f}<br>frequency %{customdata} (0: no key frequency)<extra></extra>",
    )
    yaxis = {"title": {"text": "neuron"}, "range": [-0.5, len(table) - 0.5], "zeroline": False}
    return figure([heat], annotations=marks(rows, len(table)), yaxis=yaxis, hovermode="closest")


def _phases(last: Columns, frequencies: Sequence[int]) -> dict[str, Any]:
    """A mark for each neuron that has a key frequency, at its phase."""
    final, traces = _rows(last, frequencies), []
    for i, (k, colour) in enumerate(key_colours(frequencies).items(), 1):
        own = final == i
        traces.append(
            go.Scatter(
                x=last.phase.numpy()[own],
                y=np.full(int(own.sum()), i),
                mode="markers",
                name=f"k = {k}",
                marker={"color": colour, "symbol": "line-ns-open", "size": 13, "line": {"width": 1}},
                hovertemplate=f"k = {k}<br>phase %{{x:.2f}} π<extra></extra>",
            )
        )
    ticks = list(range(1, len(frequencies) + 1))
    yaxis = {"title": {"text": "frequency k"}, "tickvals": ticks, "ticktext": [str(k) for k in frequencies]}
    xaxis = {"title": {"text": "phase [π]"}, "range": [-1.02, 1.02], "dtick": 0.5}
    span = {"range": [0.4, len(frequencies) + 0.6], "showgrid": False}
    return figure(traces, xaxis=xaxis, yaxis={**yaxis, **span}, hovermode="closest", showlegend=False)
