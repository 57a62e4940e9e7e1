"""Pictures of a run, like the paper's: one function each, from the run's own tables."""

from collections.abc import Sequence

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from grok.figures.curves import (
    Phases,
    chance,
    draw_curve,
    legends_above,
    log_values,
    mathematical,
    name_phases,
    over_steps,
    shade,
)
from grok.figures.labels import above_axis, beside_axis
from grok.figures.palette import COLOURS, OTHERS
from grok.figures.style import figure_of, head, label_outside
from grok.measures.catalogue import curves, metric
from grok.measures.panels import FINAL_KEYS, PANELS
from grok.measures.phases import EVENTS


def progress_figure(
    metrics: pd.DataFrame, final_keys: pd.DataFrame, phases: Phases, title: str, p: int | None = None
) -> Figure:
    """The paper's Fig. 7 for this run: every panel that the catalogue places in a run's picture.

    One should see, over the numbered phases: restricted loss fall long before test loss does; excluded loss
    leave its least value where memorization ends and rise; Gini coefficients rise, and squared weights
    fall, most of all in clean-up. A colour means one thing in all panels, and is named once.

    Args:
        p: the modulus, for the loss at chance.
    """
    panels = {name: panel for name, panel in PANELS.items() if panel.in_picture}
    figure, axes, columns = figure_of(len(panels), 7, 4.9, sharex=True)
    named: set[str] = set()
    for ax, (name, panel) in zip(axes, panels.items(), strict=True):
        for shown in [*map(metric, panel.repeats), *curves(name)]:
            table = final_keys if shown.family == FINAL_KEYS else metrics
            parts = {shown.name.replace("/test", f"/{part}") for part in ("unseen", "mirrored")}
            mixed = shown.name == panel.mixture and all(part in table and table[part].any() for part in parts)
            if shown.name in table and not table[shown.name].isna().all() and not mixed:
                draw_curve(ax, shown, table["step"], table[shown.name], "_again" if shown.name in named else None)
                named.add(shown.name)
        if panel.chance:
            chance(ax, p, "chance" not in named)
            named.add("chance")
        ax.set_ylabel(panel.axis)
        if panel.log:
            log_values(ax)
        else:
            ax.set_ylim(0 if ax.dataLim.y0 >= 0 else None, panel.top and 1.02 * panel.top)
        shade(ax, phases, metrics["step"])
    legends_above(axes, [panel.title for panel in panels.values()], columns)
    label_outside(axes, columns, "step")
    name_phases(figure, phases, metrics["step"])
    figure.suptitle(title)
    return figure


def spectrum_figure(spectra: pd.DataFrame, key_frequencies: Sequence[int] | None, title: str) -> Figure:
    """The paper's Fig. 3 for this run: share of each frequency in W_E and W_L at the end.

    One should see a few tall bars, the key frequencies, over almost nothing in W_L; W_E may hold
    one more than W_L uses.
    """
    matrices = list(spectra["matrix"].unique())
    figure, axes, columns = figure_of(len(matrices), 12, 4.2, sharex=True)
    keys = list(key_frequencies or [])
    for number, (ax, matrix) in enumerate(zip(axes, matrices, strict=True)):
        shares = _shares(spectra, matrix).iloc[-1]
        frequencies = shares.index.astype(int)
        ax.bar(frequencies, shares, color=[COLOURS["restricted"] if k in keys else OTHERS for k in frequencies])
        ax.set(ylabel="share of\nsquared norm", xlim=(0, len(shares) + 1))
        ax.margins(y=0.04)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        above_axis(ax, {k: str(k) for k in keys})
        head(ax, number, f"{mathematical(matrix)}, key frequencies numbered", 1.7)
    label_outside(axes, columns, "frequency $k$")
    figure.suptitle(title)
    return figure


def spectra_figure(spectra: pd.DataFrame, key_frequencies: Sequence[int] | None, phases: Phases, title: str) -> Figure:
    """The share of every frequency over time, W_E above W_L.

    One should see many faint rows at first, and a few bright ones, numbered on the right, that
    remain: the frequencies that win. White lines are the events, named above.
    """
    matrices = list(spectra["matrix"].unique())
    figure, axes, columns = figure_of(len(matrices), 12, 5.4, sharex=True)
    for number, (ax, matrix) in enumerate(zip(axes, matrices, strict=True)):
        mesh = _heat(ax, _shares(spectra, matrix))
        over_steps(ax, phases, spectra["step"])
        beside_axis(ax, {k: str(k) for k in key_frequencies or []})
        events = _named_events(phases, float(spectra["step"].max()))
        for step in events:
            ax.axvline(step, color="white", lw=0.8, ls=":")
        if number < columns:
            above_axis(ax, events, upright=True)
        ax.set_ylabel(f"frequency $k$ in {mathematical(matrix)}")
        ax.yaxis.set_major_locator(MaxNLocator(integer=True))
        head(ax, number, "")
    figure.colorbar(mesh, ax=axes, label="share of squared norm", pad=0.02, aspect=30)
    label_outside(axes, columns, "step")
    figure.suptitle(title)
    return figure


def _named_events(phases: Phases, end: float) -> dict[float, str]:
    """The steps of the events that came, and their names; of several at one step, all."""
    found: dict[float, str] = {}
    for name in EVENTS:
        if (when := phases.get(name)) and when[1] <= end:
            label = metric(f"events/{name}").label
            found[when[1]] = f"{found[when[1]]}, {label}" if when[1] in found else label
    return found


def _heat(ax: Axes, shares: pd.DataFrame) -> matplotlib.collections.QuadMesh:
    steps = shares.index.to_numpy(dtype=float)
    edges = np.concatenate([steps[:1], (steps[1:] + steps[:-1]) / 2, steps[-1:] + (len(steps) == 1)])
    frequencies = np.arange(len(shares.columns) + 1) + 0.5
    colours = matplotlib.colors.LogNorm(1e-4, 1.0)
    return ax.pcolormesh(edges, frequencies, shares.to_numpy().T.clip(1e-4), norm=colours, cmap="cividis")


def _shares(spectra: pd.DataFrame, matrix: str) -> pd.DataFrame:
    return spectra[spectra["matrix"] == matrix].set_index("step").drop(columns="matrix")
