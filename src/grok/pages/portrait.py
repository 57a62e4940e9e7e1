"""A run as one curve: how far memorization has gone against how far the circuit has."""

from typing import Any

import plotly.graph_objects as go

from grok.figures.palette import AMBER, EVENT_COLOURS, GREEN, OTHERS, SKY
from grok.measures.catalogue import metric
from grok.measures.phases import PHASES
from grok.pages.plots import figure
from grok.pages.record import Record

SPIKE, WAVES = "progress/memorization_spike", "progress/circuit_waves"
WITHOUT_PHASE = -1
PHASE_COLOURS = (OTHERS, SKY, AMBER, GREEN)  # the phases' shades in full, as of the events that begin them


def portrait(record: Record) -> dict[str, Any]:
    """Spike against waves, a point a measurement in the colour of its phase, a diamond an event; empty without them."""
    if not {SPIKE, WAVES} <= set(record.metrics):
        return {"data": []}
    table = record.metrics.dropna(subset=[SPIKE, WAVES])
    phases = [_phase(record, step) for step in table["step"]]
    said = [
        f"step {step:,.0f}" + (f", {PHASES[phase]}" if phase >= 0 else "")
        for step, phase in zip(table["step"], phases, strict=True)
    ]
    marker: dict[str, Any] = {"size": 6, "color": [PHASE_COLOURS[max(phase, 0)] for phase in phases]}
    curve = _points(
        table, said, mode="lines+markers", line={"width": 1, "color": OTHERS}, marker=marker, showlegend=False
    )
    traces = [curve] if len(table) else []
    for name, colour in EVENT_COLOURS.items():
        when = record.events.get(name)
        at = table[table["step"] == when[1]] if when else table.iloc[:0]
        if len(at) and when:
            label = f"{metric(f'events/{name}').label}, {when[1]:,}"
            marker = {"size": 11, "symbol": "diamond", "color": colour}
            traces.append(_points(at, [label], mode="markers", marker=marker, name=label))
    axes = {
        name: {"title": {"text": metric(of).axis}, "zeroline": True}
        for name, of in [("xaxis", SPIKE), ("yaxis", WAVES)]
    }
    return figure(traces, **axes, hovermode="closest", showlegend=True)


def _phase(record: Record, step: float) -> int:
    """The phase that a measurement falls in."""
    return next((phase for phase, start, end in reversed(record.phases) if start <= step <= end), WITHOUT_PHASE)


def _said(step: float, phase: int) -> str:
    return f"step {step:,.0f}" + ("" if phase == WITHOUT_PHASE else f", {PHASES[phase]}")


def _points(table: Any, said: list[str], **look: Any) -> go.Scatter:
    x, y = (table[name].to_numpy(dtype=float) for name in (SPIKE, WAVES))
    template = "%{text}<br>spike %{x:.3~g}, waves %{y:.3~g}<extra></extra>"
    return go.Scatter(x=x, y=y, text=said, hovertemplate=template, **look)
