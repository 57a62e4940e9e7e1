"""Pictures and the printed table of a sweep, from the table that `grok.collect` makes of it."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import LogLocator, NullFormatter

from grok.figures.palette import EVENT_COLOURS, PAGE, REGIME_COLOURS
from grok.figures.style import save
from grok.measures.catalogue import metric
from grok.runs.censoring import event_times, median_step, median_time
from grok.runs.folder import RunFolder


def _values(table: pd.DataFrame, setting: str) -> list[object]:
    return sorted(table[setting].dropna().unique().tolist(), key=lambda value: (isinstance(value, str), value))


def events_figure(table: pd.DataFrame, setting: str, others: Sequence[str], *files: Path) -> Figure:
    """Step of each event against one setting, one panel for every combination of the others that vary.

    One should see a dot a run, seeds side by side, and a bar at their median; an open triangle where a run
    ended before the event: it came later than that, if at all. A median beyond what was seen is not drawn.
    """
    groups = list(table.groupby(list(others), dropna=False)) if others else [((), table)]
    columns = min(3, len(groups))
    rows = -(-len(groups) // columns)
    values = _values(table, setting)
    figure = Figure(figsize=(max(4.6, 1.1 + 1.1 * len(values)) * columns, 3.7 * rows + 0.7), layout="constrained")
    axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).flatten()
    for ax in axes[len(groups) :]:
        ax.set_visible(False)
    for ax, (named, group) in zip(axes, groups, strict=False):
        for place, value in enumerate(values):
            _events_at(ax, group[group[setting] == value], place)
        title = ", ".join(f"{name} = {value}" for name, value in zip(others, named, strict=True))
        ax.set(yscale="log", title=title)
        ax.set_xticks(
            range(len(values)), [f"{value:g}" if isinstance(value, float) else str(value) for value in values]
        )
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.yaxis.set_major_formatter("{x:,.0f}")
        ax.yaxis.set_minor_formatter(NullFormatter())
        ax.grid(axis="y", color=PAGE["line"], zorder=-3)
    _label_outside(list(axes), len(groups), columns, setting, "step")
    marks = [
        Line2D([], [], color=colour, marker="o", lw=0, label=metric(f"events/{event}").label)
        for event, colour in EVENT_COLOURS.items()
    ]
    marks += [
        Line2D([], [], color="black", marker="^", mfc="none", lw=0, label="ended before the event"),
        Line2D([], [], color="black", lw=2, label="median (Kaplan-Meier)"),
    ]
    figure.legend(handles=marks, loc="outside lower center", ncols=7 if columns == 3 else 4, frameon=False, fontsize=9)
    save(figure, *files)
    return figure


def _label_outside(axes: Sequence[Axes], panels: int, columns: int, x: str, y: str) -> None:
    """Name the axes where no other panel stands below, or to the left."""
    for i, ax in enumerate(axes[:panels]):
        if i + columns >= panels:
            ax.set_xlabel(x)
            ax.tick_params(labelbottom=True)
        if i % columns == 0:
            ax.set_ylabel(y)


def _events_at(ax: Axes, runs: pd.DataFrame, place: int) -> None:
    for i, (event, colour) in enumerate(EVENT_COLOURS.items()):
        times = event_times(runs, event)
        middle = place + 0.16 * (i - 2)
        at = middle + (np.linspace(-0.045, 0.045, len(times)) if len(times) > 1 else np.zeros(len(times)))
        came = times["step"].notna().to_numpy()
        ax.plot(at[came], times["step"][came], "o", ms=4, color=colour, alpha=0.8, mew=0)
        ax.plot(at[~came], times["censored_at"][~came], "^", ms=6, color=colour, mfc="none")
        median = median_step(times["step"].tolist(), times["censored_at"].tolist())
        ax.plot([middle - 0.075, middle + 0.075], [median, median], color=colour, lw=2, zorder=0.9)


def phase_diagram(table: pd.DataFrame, x: str, y: str, others: Sequence[str], *files: Path) -> Figure:
    """Regime over two settings, one panel for every combination of the others that vary.

    One should see, in each cell, a stripe a run in the colour of its regime, and the median step at which
    clean-up started: "> N" where so many runs ended before it that it is only known to come after N.
    """
    groups = list(table.groupby(list(others), dropna=False)) if others else [((), table)]
    xs, ys = _values(table, x), _values(table, y)
    columns = min(4, len(groups))
    rows = -(-len(groups) // columns)
    figure = Figure(figsize=((1.25 * len(xs) + 1.3) * columns, (0.8 * len(ys) + 1) * rows + 0.7), layout="constrained")
    axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).flatten()
    for ax in axes[len(groups) :]:
        ax.set_visible(False)
    for ax, (named, group) in zip(axes, groups, strict=False):
        for i, x_value in enumerate(xs):
            for j, y_value in enumerate(ys):
                _cell(ax, group[(group[x] == x_value) & (group[y] == y_value)], i, j)
        title = ", ".join(f"{name} = {value}" for name, value in zip(others, named, strict=True))
        ax.set(xlim=(-0.5, len(xs) - 0.5), ylim=(-0.5, len(ys) - 0.5), title=title)
        ax.set_xticks(range(len(xs)), [str(value) for value in xs])
        ax.set_yticks(range(len(ys)), [str(value) for value in ys])
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
    _label_outside(list(axes), len(groups), columns, x, y)
    there = [*table["regime"].dropna().unique(), *(["no run"] if table["regime"].isna().any() else [])]
    marks = [Patch(color=colour, label=regime) for regime, colour in REGIME_COLOURS.items() if regime in there]
    figure.legend(handles=marks, loc="outside lower center", ncols=len(marks), frameon=False)
    save(figure, *files)
    return figure


def _cell(ax: Axes, runs: pd.DataFrame, i: int, j: int) -> None:
    width, height = 0.94, 0.9
    for n, regime in enumerate(runs.sort_values("seed")["regime"]):
        colour = REGIME_COLOURS[regime if isinstance(regime, str) else "no run"]
        corner = i - width / 2 + n * width / len(runs), j - height / 2
        ax.add_patch(Rectangle(corner, width / len(runs), height, color=colour, ec="white", lw=0.8))
    times = event_times(runs, "cleanup_start")
    if len(times):
        words = str(median_time(times["step"].tolist(), times["censored_at"].tolist()))
        ax.text(i, j, words, ha="center", va="center", fontsize=9, bbox={"fc": "white", "ec": "none", "pad": 1.5})


def curves_figure(path: Path, table: pd.DataFrame, colour: str | None, *files: Path) -> Figure:
    """Train loss, test loss and the key-free symmetrized loss of all runs over each other, coloured by one setting.

    One should see test loss leave train loss behind, and come down late where a run groks, the symmetrized
    loss long before it.
    """
    metrics = [metric(name) for name in ("loss/train", "loss/test", "progress/symmetrized_loss")]
    figure = Figure(figsize=(13, 4.3), layout="constrained")
    axes = figure.subplots(1, 3, sharex=True, sharey=True)
    values = _values(table, colour) if colour else [None]
    colours = dict(zip(values, matplotlib.colormaps["viridis"](np.linspace(0, 0.85, len(values))), strict=True))
    for _, row in table.iterrows():
        folder = RunFolder(path / row["run"])
        if not folder.metrics.exists():
            continue
        measured = folder.read(folder.metrics)
        for ax, shown in zip(axes, metrics, strict=True):
            if shown.name in measured:
                shade = colours[row[colour] if colour else None]
                ax.plot(measured["step"].clip(lower=1), measured[shown.name], color=shade, lw=0.9, alpha=0.75)
    for ax, shown in zip(axes, metrics, strict=True):
        ax.set(xscale="log", yscale="log", title=shown.label, xlabel="step")
    axes[0].set_ylabel(metrics[0].unit)
    if colour:
        marks = [Line2D([], [], color=shade, label=f"{colour} = {value}") for value, shade in colours.items()]
        figure.legend(handles=marks, loc="outside lower center", ncols=6, frameon=False)
    save(figure, *files)
    return figure


def draw_sweep(
    path: Path, table: pd.DataFrame, varying: Sequence[str], x: str | None, y: str | None, colour: str | None
) -> list[Path]:
    """Draw what the sweep gives ground for, into its folder; the files."""
    files = [path / "curves.png"]
    curves_figure(path, table, colour, files[0])
    for setting in varying:
        files.append(path / f"events_by_{setting.replace('.', '_').replace('/', '_')}.png")
        events_figure(table, setting, [name for name in varying if name != setting], files[-1])
    if x and y:
        files.append(path / "phase_diagram.png")
        phase_diagram(table, x, y, [name for name in varying if name not in (x, y)], files[-1])
    return files
