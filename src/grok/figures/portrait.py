"""A run as one curve: memorization against the circuit."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from grok.figures.curves import Phases
from grok.figures.palette import EVENT_COLOURS, OTHERS, PAGE, SHADES
from grok.figures.style import legend_below, new_figure, width
from grok.measures.catalogue import metric
from grok.measures.phases import BOUNDARIES, PHASES

SPIKE, WAVES = "progress/memorization_spike", "progress/circuit_waves"


def portrait_figure(metrics: pd.DataFrame, phases: Phases, title: str) -> Figure:
    """Spike against waves on unseen pairs, one point a measurement, from the untrained network at the origin.

    One should see, in a run that groks: memorization go left, nearly flat, as the spike deepens; a sharp turn where
    it ends; then the waves rise while the spike fades, and what is left of the spike go to 0 once the network
    generalizes. A run that only memorizes keeps going left, its waves far below its spike.
    """
    figure = new_figure(min(0.9 * width(), 10) + 2)
    ax = figure.subplots()
    step, x, y = (metrics[name].to_numpy(dtype=float) for name in ("step", SPIKE, WAVES))
    ax.axvline(0, color=PAGE["grid"], lw=1, zorder=0)
    ax.axhline(0, color=PAGE["grid"], lw=1, zorder=0)
    ax.plot(x, y, color=OTHERS, lw=1, zorder=1)
    phase = np.searchsorted(_starts(phases), step, side="right")
    for number in np.unique(phase):
        of_it = phase == number
        ax.scatter(
            x[of_it], y[of_it], s=16, color=SHADES[number], edgecolor=PAGE["muted"], lw=0.5, label=PHASES[number]
        )
    for name, colour in EVENT_COLOURS.items():
        when = phases.get(name)
        if when and when[1] in step:
            at = step == when[1]
            label = f"{metric(f'events/{name}').label}, {when[1]:,}"
            ax.plot(x[at], y[at], "D", color=colour, ms=6, mec=PAGE["ink"], mew=0.5, zorder=3, label=label)
    ax.set(xlabel=metric(SPIKE).axis, ylabel=metric(WAVES).axis)
    legend_below(figure, ax.get_legend_handles_labels()[0])
    figure.suptitle(title)
    return figure


def _starts(phases: Phases) -> Sequence[float]:
    """The steps at which phases 1 to 3 begin, in order; infinite where one does not."""
    steps = [float(when[1]) if (when := phases.get(name)) else np.inf for name in BOUNDARIES]
    return list(np.minimum.accumulate(steps[::-1])[::-1])
