"""The numbers on the circles of the key frequencies."""

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from torch import Tensor

from grok.claims import embedding
from grok.claims.facts import NetworkFacts
from grok.figures.palette import CYCLE, PAGE
from grok.figures.style import across, figure_of, small, width

MOST = 5  # circles of an animation
LABELLED = 8  # numbers of each circle
WHEEL = LinearSegmentedColormap.from_list("wheel", CYCLE)


def circles_figure(W_E: Tensor, facts: NetworkFacts) -> Figure:
    """The numbers' embedding in the plane of each key frequency, joined in steps of one turn of p-th.

    One should see p dots on a circle, each joined to its neighbours on it alone, colours once around. Each circle has a
    scale of its own; its radius stands above it.
    """
    keys = facts.key_frequencies[: 2 * MOST] or [1]
    columns = across(len(keys), 2.6)
    rows = -(-len(keys) // columns)
    side = min(5.0, width() * 7 / small() / columns) + 0.8  # of a circle with its title, in centimetres at 8 points
    figure, axes, _ = figure_of(len(keys), 2.6, side + 1.8 / rows)
    for ax, k in zip(axes, keys, strict=True):
        draw_circle(ax, W_E, k)
    p = W_E.shape[1]
    scale = matplotlib.cm.ScalarMappable(matplotlib.colors.Normalize(0, p), WHEEL)
    bar = figure.colorbar(scale, ax=axes, location="bottom", aspect=40, shrink=0.7, pad=0.02)
    bar.set_label("place of number $a$ on the circle, $ka$ mod $p$")
    return figure


def draw_circle(ax: Axes, W_E: Tensor, k: int) -> None:
    """The numbers in the plane of frequency k, coloured by their place on the circle."""
    p = W_E.shape[1]
    x, y = embedding.circles(W_E, k).numpy()
    order = np.argsort(k * np.arange(p) % p, kind="stable")
    closed = np.append(order, order[0])
    ax.plot(x[closed], y[closed], color=PAGE["grid"], lw=0.6, zorder=1)
    ax.scatter(x, y, c=k * np.arange(p) % p, cmap=WHEEL, s=7, zorder=2)
    distance = np.hypot(x, y)
    farthest = float(distance.max()) or 1.0
    for number in order[np.linspace(0, p, min(p, LABELLED), endpoint=False).astype(int)]:
        outwards = 1.22 * farthest / (distance[number] or 1.0)  # beyond the farthest dot
        ax.annotate(
            str(number),
            (x[number], y[number]),
            (x[number] * outwards, y[number] * outwards),
            ha="center",
            va="center",
            fontsize=0.9 * small(),
            color=PAGE["muted"],
            arrowprops={"arrowstyle": "-", "lw": 0.3, "color": PAGE["muted"], "shrinkA": 1, "shrinkB": 1},
        )
    reach = 1.42 * farthest
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xticks=[], yticks=[])
    ax.set_title(f"$k$ = {k}\nradius {distance.mean():.2f}")
