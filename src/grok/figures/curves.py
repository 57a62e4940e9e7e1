"""Curves over the steps of a run: their looks, the phases behind them, and legends off them."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator
from numpy.typing import ArrayLike

from grok.figures.palette import COLOURS, PAGE, SHADES, line
from grok.figures.style import POINT, columns_of, head, legend_below, small, width
from grok.measures.catalogue import Metric
from grok.measures.phases import BOUNDARIES, EVENTS, PHASES, Events

Phases = Mapping[str, Sequence[int] | None]

DASHES = {
    "solid": "-",
    "dash": (0, (3.2, 1.6)),
    "longdash": (0, (6, 1.8)),
    "dot": (0, (1, 1.3)),
    "dashdot": (0, (5, 1.5, 1, 1.5)),
}
FEW = 100  # last to first step: so few that not only powers of ten are numbered
EARLY = 0.1  # of a run: where its first phase ends within it, steps are drawn by their logarithms


def spans(phases: Phases, end: float) -> list[tuple[int, float, float]]:
    """Index, first and last step of each phase that the run came to; none where it generalized while fitting."""
    came = {name: (int(when[0]), int(when[1])) for name in EVENTS if (when := phases.get(name)) and when[1] <= end}
    starts = [(0, 0.0)] + [(i, float(came[name][1])) for i, name in enumerate(BOUNDARIES, 1) if name in came]
    if len(starts) == 1 or Events(**came).direct:
        return []
    ends = [*(start for _, start in starts[1:]), end]
    return [(phase, start, stop) for (phase, start), stop in zip(starts, ends, strict=True) if stop > start]


def over_steps(ax: Axes, phases: Phases, steps: ArrayLike) -> None:
    """The axis of steps; logarithmic where the first phase ends early, and then without the network before step 1."""
    measured = np.asarray(steps, dtype=float)
    end = float(measured.max(initial=1)) or 1.0
    positive = measured[measured > 0]
    first = min((when[1] for name in BOUNDARIES if (when := phases.get(name))), default=end)
    if first < EARLY * end and len(positive) > 1:
        log_steps(ax, float(positive.min()), end)
    else:
        ax.set_xlim(0, end)
        ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        ax.xaxis.set_minor_locator(NullLocator())
        ax.xaxis.set_major_formatter("{x:,.0f}")


def log_steps(ax: Axes, first: float, last: float) -> None:
    """A logarithmic axis of steps with plain numbers on it."""
    ax.set_xscale("log")
    ax.set_xlim(first, last)
    few = last / first < FEW
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if few else (1,), numticks=8 if few else 6))
    ax.xaxis.set_minor_locator(LogLocator(subs=range(2, 10), numticks=20))
    ax.xaxis.set_major_formatter("{x:,.0f}")
    ax.xaxis.set_minor_formatter("")


def shade(ax: Axes, phases: Phases, steps: ArrayLike) -> None:
    """The axis of steps, and on it the phases: shades, lines between them, and their numbers in a strip above."""
    over_steps(ax, phases, steps)
    left, end = ax.get_xlim()
    log = ax.get_xscale() == "log"
    shown = [(phase, max(start, left), stop) for phase, start, stop in spans(phases, end) if stop > left]
    for phase, start, stop in shown:
        ax.axvspan(start, stop, color=SHADES[phase], zorder=-3, lw=0)
        if start > left:
            ax.axvline(start, color=PAGE["muted"], lw=0.4, zorder=-2)
        share = np.log(stop / start) / np.log(end / left) if log else (stop - start) / (end - left)
        if share > 0.02:
            middle = np.sqrt(start * stop) if log else (start + stop) / 2
            ax.annotate(
                str(phase + 1),
                (middle, 1),
                (0, 1.5),
                xycoords=("data", "axes fraction"),
                textcoords="offset points",
                ha="center",
                fontsize=0.9 * small(),
                color=PAGE["muted"],
            )


def name_phases(figure: Figure, phases: Phases, steps: ArrayLike) -> None:
    """What the numbers and shades of the phases are, once for all panels."""
    found = spans(phases, float(np.asarray(steps, dtype=float).max(initial=1)))
    patches = [
        Patch(facecolor=SHADES[phase], edgecolor=PAGE["muted"], lw=0.4, label=f"{phase + 1} {PHASES[phase]}")
        for phase, *_ in found
    ]
    legend_below(figure, patches)


def draw_curve(ax: Axes, metric: Metric, steps: pd.Series, values: pd.Series, label: str | None = None) -> None:
    """One metric over the steps, in the colour and line that the palette gives it."""
    dash, points = line(metric.colour, metric.family)
    colour = COLOURS[metric.colour] if metric.colour else PAGE["ink"]
    name = mathematical(metric.short) if label is None else label
    ax.plot(steps, values, color=colour, ls=DASHES[dash], lw=0.75 * points, label=name)


def chance(ax: Axes, p: int | None, named: bool = True) -> None:
    """The loss of an answer drawn at random, where there are p of them."""
    if p:
        label = f"chance, ln {p}" if named else "_chance"
        ax.axhline(np.log(p), color=PAGE["muted"], lw=0.8, ls=(0, (1, 3)), zorder=1.5, label=label)


def legends_above(axes: Sequence[Axes], titles: Sequence[str], columns: int = 1, letters: bool = True) -> None:
    """Each panel's letter, title and legend above it and off its curves; room is left for the strip of phases.

    Args:
        columns: of panels in the figure.
    """
    lines = []
    for ax, title in zip(axes, titles, strict=True):
        labels = ax.get_legend_handles_labels()[1]
        if not set(labels) - {title}:  # the title says it
            lines.append(0)
            continue
        entries = columns_of(labels, (width() / columns - 1.3) / POINT)
        lines.append(-(-len(labels) // entries))
        place: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (0, 1), "borderaxespad": 1.25}
        ax.legend(**place, ncols=entries, handlelength=2.6, columnspacing=1)
    for number, (ax, title) in enumerate(zip(axes, titles, strict=True)):
        row = number // columns * columns
        head(ax, number if letters else None, title, 1 + 1.03 * max(lines[row : row + columns]))


def log_values(ax: Axes) -> None:
    """A logarithmic axis of the values drawn so far: a few powers of ten, or plain numbers where they span little."""
    ax.set_yscale("log")
    ax.yaxis.set_minor_locator(NullLocator())
    low, high = ax.get_ylim()
    if high > FEW * low:
        ax.yaxis.set_major_locator(LogLocator(numticks=6))
        return
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)) if high > 5 * low else MaxNLocator(4))
    ax.yaxis.set_major_formatter("{x:g}")


def mathematical(text: str) -> str:
    """`text` with the names of matrices set as the paper sets them."""
    return re.sub(r"W_[A-Z]", r"$\g<0>$", text)
