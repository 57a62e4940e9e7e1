"""Labels at the places of an axis that do not lie on each other."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from grok.figures.palette import PAGE
from grok.figures.style import small


def apart(places: Sequence[float], least: float) -> list[float]:
    """The places nearest to these, in their order and within 0 and 1, that lie so far apart."""
    if not places:
        return []
    least = min(least, 1 / max(1, len(places) - 1))
    order = np.argsort(places, kind="stable")
    moved = np.array(places, dtype=float)[order]
    for _ in range(200):  # each pair that is too near moves apart by half of what it lacks
        lacking = least - np.diff(moved)
        if lacking.max(initial=0) < 1e-4:
            break
        push = np.clip(lacking, 0, None) / 2
        moved[:-1] -= push
        moved[1:] += push
        moved = moved.clip(0, 1)
    found = np.empty_like(moved)
    found[order] = moved
    return [float(place) for place in found]


def above_axis(ax: Axes, labels: Mapping[float, str], upright: bool = False) -> None:
    """Labels above the axes, each joined to its place; `upright`: written from below."""
    _beside(ax, labels, upright, vertical=False)


def beside_axis(ax: Axes, labels: Mapping[float, str]) -> None:
    """Labels at the right of the axes, each joined to its place."""
    _beside(ax, labels, False, vertical=True)


def _beside(ax: Axes, labels: Mapping[float, str], upright: bool, vertical: bool) -> None:
    if not labels:
        return
    figure, spec = ax.get_figure(root=True), ax.get_subplotspec()
    assert figure is not None
    size = figure.get_size_inches() * 72  # points; the axes take most of it
    rows, columns = spec.get_gridspec().get_geometry() if spec else (1, 1)
    length = 0.65 * size[1] / rows if vertical else 0.75 * size[0] / columns
    letters = 1 if upright or vertical else 0.65 * max(map(len, labels.values())) + 0.35
    log = (ax.get_yscale() if vertical else ax.get_xscale()) == "log"
    low, high = np.array(ax.get_ylim() if vertical else ax.get_xlim())
    if log:
        places = [float(np.log(at / low) / np.log(high / low)) for at in labels]
    else:
        places = [float((at - low) / (high - low)) for at in labels]
    arrow = {"arrowstyle": "-", "lw": 0.5, "color": PAGE["muted"], "shrinkA": 0, "shrinkB": 0}
    for place, moved, text in zip(
        places, apart(places, 1.15 * letters * small() / length), labels.values(), strict=True
    ):
        ax.annotate(
            text,
            (1, place) if vertical else (place, 1),
            (1 + 6 / (0.7 * size[0] / columns), moved) if vertical else (moved, 1 + 6 / (0.6 * size[1] / rows)),
            xycoords="axes fraction",
            textcoords="axes fraction",
            ha="left" if vertical else "center",
            va="center" if vertical else "bottom",
            rotation=90 if upright else 0,
            fontsize=small(),
            arrowprops=arrow,
            annotation_clip=False,
        )
