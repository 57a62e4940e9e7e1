"""What all pictures have in common: colours, the shading of phases, saving."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from grok.figures.palette import COLOURS, LINES, PAGE, SHADES
from grok.measures.catalogue import Metric
from grok.measures.phases import BOUNDARIES, PHASES

Phases = Mapping[str, Sequence[int] | None]


def shade(ax: Axes, phases: Phases, end: float) -> None:
    """Shade each phase that the run came to, and end the axis where the run does."""
    boundaries = [phases.get(name) for name in BOUNDARIES]
    starts = [(0, 0.0)] + [(i, float(when[1])) for i, when in enumerate(boundaries, 1) if when]
    ax.set_xlim(0, end)
    if len(starts) == 1:
        return
    for (phase, left), (_, right) in zip(starts, [*starts[1:], (0, end)], strict=True):
        ax.axvspan(left, right, color=SHADES[phase], zorder=-2, lw=0, label=PHASES[phase])


def draw_curve(ax: Axes, metric: Metric, steps: pd.Series, values: pd.Series) -> None:
    """One metric over the steps, in the colour and line that the palette gives it."""
    dash, width = LINES[metric.family]
    style = {"solid": "-", "dash": "--", "dot": ":"}[dash]
    colour = COLOURS[metric.colour] if metric.colour else PAGE["ink"]
    ax.plot(steps, values, color=colour, ls=style, lw=width, label=mathematical(metric.legend))


def mathematical(text: str) -> str:
    """`text` with the names of matrices set as the paper sets them."""
    return re.sub(r"W_[A-Z]", r"$\g<0>$", text)


def save(figure: Figure, *files: Path) -> None:
    """Write a figure in the format of each file's name."""
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(file, dpi=130)
