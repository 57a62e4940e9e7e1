"""What all pictures have in common: colours, the shading of phases, saving."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from grok.figures.palette import SHADES
from grok.measures.phases import BOUNDARIES, PHASES

Phases = Mapping[str, Sequence[int] | None]


def shade(ax: Axes, phases: Phases, end: float) -> None:
    boundaries = [phases.get(name) for name in BOUNDARIES]
    starts = [(0, 0.0)] + [(i, float(when[1])) for i, when in enumerate(boundaries, 1) if when]
    ax.set_xlim(0, end)
    if len(starts) == 1:
        return
    for (phase, left), (_, right) in zip(starts, [*starts[1:], (0, end)], strict=True):
        ax.axvspan(left, right, color=SHADES[phase], zorder=-2, lw=0, label=PHASES[phase])


def save(figure: Figure, *files: Path) -> None:
    """Write a figure in the format of each file's name."""
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(file, dpi=130)
