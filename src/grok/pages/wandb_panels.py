"""The story of a run or sweep in W&B's own panels, reported as on the local page.

Traps of W&B's: groups by `optim.wd` have to be written `optim.value.wd` (the library does so), filters `optim.wd`; so
panels name the flat copies that runs carry (`p`, `wd`, …). A line plot shows ten runs unless reported to show more.
"""

from collections.abc import Sequence
from typing import Any

from wandb_workspaces import expr
from wandb_workspaces.reports.v2 import interface as wr

from grok.loggers.wandb_history import STEP
from grok.measures.catalogue import metric
from grok.pages.wandb_story import (
    EVENTS,
    LAST,
    PICTURES,
    SPECTRA,
    Plot,
    ReportedRuns,
    explanations,
    head,
    runs_words,
    setting_words,
    story,
)

WIDTH, HEIGHT = 12, 8  # of a panel; a row has 24


def blocks(reported: ReportedRuns) -> list[Any]:
    """The whole report."""
    events = [name for name in EVENTS if name in reported.logged]
    parts: list[Any] = [wr.MarkdownBlock(head(reported)), wr.TableOfContents(), wr.H2("Runs")]
    parts += [wr.MarkdownBlock(runs_words(events)), _grid(reported, _overview(reported, events))]
    for section, plots in story(reported.logged).items():
        names = list(dict.fromkeys(name for plot in plots for name in plot.names))
        lines = [_lines(reported, plot) for plot in plots]
        parts += [wr.H2(section), wr.MarkdownBlock(explanations(names)), _grid(reported, lines, grouped=True)]
    for setting in reported.settings:
        parts += [wr.H2(f"By {setting}"), wr.MarkdownBlock(setting_words(setting)), _by(reported, setting, events)]
    pictures = [name for name in PICTURES if name in reported.logged]
    if pictures:
        media = wr.MediaBrowser(media_keys=pictures, num_columns=1, layout=_place(24, 16))
        parts += [wr.H2("Spectra"), wr.MarkdownBlock(SPECTRA), _grid(reported, [media])]
    return [*parts, wr.H2("How they were made"), wr.CodeBlock(reported.origin, language=None)]


def _runset(name: str, runs: Sequence[str], reported: ReportedRuns, groupby: Sequence[str] = ()) -> wr.Runset:
    """The runs, whatever else the project holds; entity and project stay empty, which means the report's own."""
    events = [f"summary:{name}" for name in EVENTS if name in reported.logged]
    settings = [f"config:{_accessor(name)}" for name in (*reported.settings, "seed")]
    ends = ["summary:status", *events, "summary:accuracy/test", "summary:loss/test", "summary:keys/final"]
    return wr.Runset(
        name=name,
        filters=expr.And(expr.Metric("ID").isin(list(runs))),
        groupby=[f"config.{setting}" for setting in groupby],
        pinned_columns=["run:displayName"],
        visible_columns=["config:regime.value", *settings, *ends],
        lock_columns=True,
    )


def _accessor(setting: str) -> str:
    """`wd` as wd.value, `optim.lr` as optim.value.lr."""
    first, _, rest = setting.partition(".")
    return f"{first}.value.{rest}" if rest else f"{first}.value"


def _grid(reported: ReportedRuns, panels: Sequence[Any], grouped: bool = False) -> wr.PanelGrid:
    """The panels over all runs; `grouped`: over each combination of settings, whose runs differ in seeds alone."""
    name = "the run" if len(reported.ids) == 1 else "runs alike but for their seeds" if grouped else "all runs"
    runset = _runset(name, reported.ids, reported, list(reported.settings) if grouped else [])
    return wr.PanelGrid(runsets=[runset], panels=list(panels))


def _overview(reported: ReportedRuns, events: Sequence[str]) -> list[Any]:
    bars = wr.BarPlot(title="events [steps]", metrics=list(events), max_bars_to_show=100, layout=_place(24, HEIGHT))
    if not reported.settings:
        return [bars] if events else []
    columns = [wr.ParallelCoordinatesPlotColumn(wr.Config(name)) for name in reported.settings]
    columns += [
        wr.ParallelCoordinatesPlotColumn(wr.SummaryMetric(name), display_name=metric(name).label)
        for name in (*events, *LAST)
        if name in reported.logged
    ]
    parallel = wr.ParallelCoordinatesPlot(title="settings to events", columns=columns, layout=_place(24, HEIGHT))
    return [parallel]


def _lines(reported: ReportedRuns, plot: Plot, by: str | None = None) -> wr.LinePlot:
    bands: dict[str, Any] = {"groupby_aggfunc": "median", "groupby_rangefunc": "minmax"} if reported.settings else {}
    if by:
        bands["groupby"] = wr.Config(by)
    return wr.LinePlot(
        title=plot.title,
        x=STEP,
        y=list(plot.names),
        log_x="x" in plot.log,
        log_y="y" in plot.log,
        title_x="optimizer steps",
        title_y=plot.axis,
        max_runs_to_show=max(len(reported.ids), 10),
        smoothing_type="none",
        layout=_place(WIDTH, HEIGHT),
        **bands,
    )


def _by(reported: ReportedRuns, setting: str, events: Sequence[str]) -> wr.PanelGrid:
    curves = ("loss/test", "progress/symmetrized_loss", "final_keys/restricted_loss", "final_keys/excluded_loss")
    panels: list[Any] = [
        _lines(reported, Plot(f"{metric(name).label} by {setting}", metric(name).axis, "y", [name]), setting)
        for name in curves
        if name in reported.logged
    ]
    panels += [
        wr.ScatterPlot(
            title=f"{metric(name).axis} against {setting}",
            x=wr.Config(setting),
            y=wr.SummaryMetric(name),
            log_y=True,
            layout=_place(WIDTH, HEIGHT),
        )
        for name in events
    ]
    panels += [
        wr.BarPlot(
            title=f"{metric(name).label} by {setting}",
            metrics=[name],
            groupby=wr.Config(setting),
            groupby_aggfunc="median",
            groupby_rangefunc="minmax",
            layout=_place(WIDTH, HEIGHT),
        )
        for name in LAST
        if name in reported.logged
    ]
    values = reported.settings[setting]
    return wr.PanelGrid(
        runsets=[_runset(f"{setting} = {value}", runs, reported) for value, runs in values.items()], panels=panels
    )


def _place(width: int, height: int) -> wr.Layout:
    return wr.Layout(w=width, h=height)
