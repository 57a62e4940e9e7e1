"""Curves over the steps of a run: their looks, the phases behind them, and legends off them."""

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator
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
EARLY = 0.1  # of a run: where its first phase ends within it, steps are drawn by their logarithms


def spans(phases: Phases, end: float) -> list[tuple[int, float, float]]:
    """Index, first and last step of each phase that the run came to; none where it generalized while fitting."""
    came = {name: (int(when[0]), int(when[1])) for name in EVENTS if (when := phases.get(name))}
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
        ax.set_xscale("log")
        ax.set_xlim(float(positive.min()), end)
        ax.xaxis.set_major_locator(LogLocator(numticks=6))
        ax.xaxis.set_minor_locator(LogLocator(subs=range(2, 10), numticks=20))
    else:
        ax.set_xlim(0, end)
        ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        ax.xaxis.set_minor_locator(NullLocator())
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


def name_phases(figure: Figure, phases: Phases, steps: ArrayLike, *more: Patch) -> None:
    """What the numbers and shades of the phases are, once for all panels."""
    found = spans(phases, float(np.asarray(steps, dtype=float).max(initial=1)))
    patches = [
        Patch(facecolor=SHADES[phase], edgecolor=PAGE["muted"], lw=0.4, label=f"{phase + 1} {PHASES[phase]}")
        for phase, *_ in found
    ]
    legend_below(figure, [*patches, *more])


def draw_curve(ax: Axes, metric: Metric, steps: pd.Series, values: pd.Series, label: str | None = None) -> None:
    """One metric over the steps, in the colour and line that the palette gives it."""
    dash, points = line(metric.colour, metric.family)
    colour = COLOURS[metric.colour] if metric.colour else PAGE["ink"]
    name = mathematical(metric.legend) if label is None else label
    ax.plot(steps, values, color=colour, ls=DASHES[dash], lw=0.75 * points, label=name)


def chance(ax: Axes, p: int | None, named: bool = True) -> None:
    """The loss of an answer drawn at random, where there are p of them."""
    if p:
        label = f"chance, ln {p}" if named else "_chance"
        ax.axhline(np.log(p), color=PAGE["muted"], lw=0.8, ls=(0, (1, 3)), zorder=1.5, label=label)


def legend_above(ax: Axes, number: int | None, title: str, columns: int) -> None:
    """A panel's letter, title and legend above it and off its curves; room is left for the strip of phases.

    Args:
        columns: of panels in the figure.
    """
    labels = ax.get_legend_handles_labels()[1]
    if not labels:
        head(ax, number, title, 1)
        return
    entries = columns_of(labels, (width() / columns - 1.3) / POINT)
    rows = -(-len(labels) // entries)
    ax.legend(
        loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=1.25, ncols=entries, handlelength=2.6, columnspacing=1
    )
    head(ax, number, title, 1.1 + rows * 1.03)


def log_values(ax: Axes) -> None:
    """A logarithmic axis of values, with a few powers of ten on it."""
    ax.set_yscale("log")
    ax.yaxis.set_major_locator(LogLocator(numticks=6))
    ax.yaxis.set_minor_locator(NullLocator())


def steps_formatter() -> FuncFormatter:
    """2,000."""
    return FuncFormatter(lambda x, _: f"{x:,.0f}")


def mathematical(text: str) -> str:
    """`text` with the names of matrices set as the paper sets them."""
    return re.sub(r"W_[A-Z]", r"$\g<0>$", text)
