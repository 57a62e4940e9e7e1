"""Pictures of a sweep, from the table that `grok.collect` makes of it."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import LogLocator, NullFormatter

from grok.figures import style
from grok.figures.curves import FEW
from grok.figures.palette import EVENT_COLOURS, HATCHES, PAGE, REGIME_COLOURS
from grok.figures.style import figure_of, label_outside, legend_below, small
from grok.figures.sweep_curves import curves_figure
from grok.figures.words import setting_words, value_words, values_of
from grok.measures.catalogue import metric
from grok.runs.censoring import event_times, median_step, median_time
from grok.settings.figure_style import FigureStyle

Groups = list[tuple[str, pd.DataFrame]]


def _groups(table: pd.DataFrame, others: Sequence[str]) -> Groups:
    """The runs of each combination of the settings that no axis shows, and how it is called."""
    if not others:
        return [("", table)]
    groups = []
    for named, group in table.groupby(list(others), dropna=False):
        words = [f"{setting_words(name)} {value_words(value)}" for name, value in zip(others, named, strict=True)]
        groups.append((",\n".join(words), group))
    return groups


def events_figure(table: pd.DataFrame, setting: str, others: Sequence[str]) -> Figure:
    """Step of each event against one setting, one panel for every combination of the others that vary.

    One should see a dot a run, seeds side by side, and a bar at their median; an open triangle where a run
    ended before the event: it came later than that, if at all. A median beyond what was seen is not drawn.
    """
    groups, values = _groups(table, others), values_of(table, setting)
    figure, axes, columns = figure_of(
        len(groups), max(4.2, 1.6 + 1.1 * len(values)), 4.8, 1.6, sharex=True, sharey=True
    )
    for ax, (named, group) in zip(axes, groups, strict=True):
        for place, value in enumerate(values):
            _events_at(ax, group[group[setting] == value], place)
        ax.set(yscale="log", title=named)
        ax.set_xticks(range(len(values)), list(map(value_words, values)))
        low, high = ax.dataLim.intervaly
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < FEW * low else (1,)))
        ax.yaxis.set_major_formatter("{x:,.0f}")
        ax.yaxis.set_minor_formatter(NullFormatter())
        ax.grid(axis="y", color=PAGE["line"], lw=0.5, zorder=-3)
    label_outside(axes, columns, setting_words(setting), "step")
    marks = [
        Line2D([], [], color=colour, marker="o", ms=4, lw=0, label=metric(f"events/{event}").label)
        for event, colour in EVENT_COLOURS.items()
    ]
    marks += [
        Line2D([], [], color=PAGE["ink"], marker="^", ms=5, mfc="none", lw=0, label="ended before the event"),
        Line2D([], [], color=PAGE["ink"], lw=2, label="median (Kaplan-Meier)"),
    ]
    legend_below(figure, marks, title="events from left to right, a dot a run")
    return figure


def _events_at(ax: Axes, runs: pd.DataFrame, place: int) -> None:
    for i, (event, colour) in enumerate(EVENT_COLOURS.items()):
        times = event_times(runs, event)
        middle = place + 0.16 * (i - 2)
        at = middle + (np.linspace(-0.045, 0.045, len(times)) if len(times) > 1 else np.zeros(len(times)))
        came = times["step"].notna().to_numpy()
        ax.plot(at[came], times["step"][came], "o", ms=3, color=colour, alpha=0.8, mew=0)
        ax.plot(at[~came], times["censored_at"][~came], "^", ms=4, color=colour, mfc="none", mew=0.7)
        median = median_step(times["step"].tolist(), times["censored_at"].tolist())
        ax.plot([middle - 0.075, middle + 0.075], [median, median], color=colour, lw=1.6, zorder=0.9)


def phase_diagram(table: pd.DataFrame, x: str, y: str, others: Sequence[str]) -> Figure:
    """Regime over two settings, one panel for every combination of the others that vary.

    One should see, in each cell, a stripe a run in the colour and hatching of its regime, and the median step at
    which clean-up started: "> N" where so many runs ended before it that it is only known to come after N.
    """
    groups = _groups(table, others)
    xs, ys = values_of(table, x), values_of(table, y)
    height = 1.4 + max(0.85 * len(ys), 0.17 * len(setting_words(y)))  # centimetres: of the cells, or the axis' name
    figure, axes, columns = figure_of(len(groups), 1.8 + 1.4 * len(xs), height, 1.4, sharex=True, sharey=True)
    cell = (style.width() / columns - 1.8) / len(xs) / style.POINT
    for ax, (named, group) in zip(axes, groups, strict=True):
        for i, x_value in enumerate(xs):
            for j, y_value in enumerate(ys):
                _cell(ax, group[(group[x] == x_value) & (group[y] == y_value)], i, j, cell)
        ax.set(xlim=(-0.5, len(xs) - 0.5), ylim=(-0.5, len(ys) - 0.5), title=named)
        ax.set_xticks(range(len(xs)), list(map(value_words, xs)))
        ax.set_yticks(range(len(ys)), list(map(value_words, ys)))
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
    label_outside(axes, columns, setting_words(x), setting_words(y))
    there = [*table["regime"].dropna().unique(), *(["no run"] if table["regime"].isna().any() else [])]
    marks = [Patch(**_looks(regime), label=regime) for regime in REGIME_COLOURS if regime in there]
    legend_below(
        figure, marks, title="a stripe a run; number: median step at which clean-up starts, > where it comes later"
    )
    return figure


def _looks(regime: str) -> dict[str, Any]:
    return {
        "facecolor": REGIME_COLOURS[regime],
        "edgecolor": PAGE["paper"],
        "hatch": HATCHES[regime],
        "hatchcolor": PAGE["ink"],
        "hatch_linewidth": 0.4,
        "lw": 0.8,
    }


def _cell(ax: Axes, runs: pd.DataFrame, i: int, j: int, points: float) -> None:
    width, height = 0.94, 0.9
    for n, regime in enumerate(runs.sort_values("seed")["regime"]):
        corner = i - width / 2 + n * width / len(runs), j - height / 2
        looks = _looks(regime if isinstance(regime, str) else "no run")
        ax.add_patch(Rectangle(corner, width / len(runs), height, **looks))
    times = event_times(runs, "cleanup_start")
    if len(times):
        words = str(median_time(times["step"].tolist(), times["censored_at"].tolist()))
        size = min(small(), points / (0.62 * len(words)))
        box = {"fc": PAGE["paper"], "ec": "none", "pad": 0.6}  # low, so that the stripes are seen above it
        ax.text(i, j - 0.24, words, ha="center", va="center", fontsize=size, bbox=box)


def draw_sweep(
    path: Path,
    table: pd.DataFrame,
    varying: Sequence[str],
    x: str | None,
    y: str | None,
    colour: str | None,
    looks: FigureStyle,
) -> list[Path]:
    """Draw what the sweep gives ground for, into its folder; the files."""
    pictures: dict[str, Callable[[], Figure]] = {"curves": partial(curves_figure, path, table, varying, colour)}
    for setting in varying:
        name = f"events_by_{setting.replace('.', '_').replace('/', '_')}"
        pictures[name] = partial(events_figure, table, setting, [name for name in varying if name != setting])
    if x and y:
        others = [name for name in varying if name not in (x, y)]
        pictures["phase_diagram"] = partial(phase_diagram, table, x, y, others)
    return [file for name, picture in pictures.items() for file in style.draw(looks, picture, path / name)]
