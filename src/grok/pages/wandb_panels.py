"""The story of a run or sweep in W&B's own panels, told as on the local page.

Traps of W&B's: groups by `optim.wd` have to be written `optim.value.wd` (the library does so), filters `optim.wd`; so
panels name the flat copies that runs carry (`p`, `wd`, …). A line plot shows ten runs unless told to show more.
"""

from collections.abc import Sequence
from typing import Any

from wandb_workspaces import expr
from wandb_workspaces.reports.v2 import interface as wr

from grok.loggers.wandb_history import STEP
from grok.measures.catalogue import metric
from grok.pages.wandb_story import EVENTS, LAST, PICTURES, SPECTRA, STORY, Told, explained, head, of_runs, of_values

WIDTH, HEIGHT = 12, 8  # of a panel; a row has 24


def blocks(told: Told) -> list[Any]:
    """The whole report."""
    events = [name for name in EVENTS if name in told.logged]
    parts: list[Any] = [wr.MarkdownBlock(head(told)), wr.TableOfContents(), wr.H2("Runs")]
    parts += [wr.MarkdownBlock(of_runs(events)), _grid(told, _overview(told, events))]
    for section, panels in STORY.items():
        named = list(dict.fromkeys(name for *_, names in panels for name in names if name in told.logged))
        if named:
            lines = [_lines(told, *panel) for panel in panels if set(panel[2]) & set(told.logged)]
            parts += [wr.H2(section), wr.MarkdownBlock(explained(named)), _grid(told, lines, grouped=True)]
    for setting in told.settings:
        parts += [wr.H2(f"By {setting}"), wr.MarkdownBlock(of_values(setting)), _by(told, setting, events)]
    pictures = [name for name in PICTURES if name in told.logged]
    if pictures:
        media = wr.MediaBrowser(media_keys=pictures, num_columns=1, layout=_place(24, 16))
        parts += [wr.H2("Spectra"), wr.MarkdownBlock(SPECTRA), _grid(told, [media])]
    return [*parts, wr.H2("How they were made"), wr.CodeBlock(told.origin, language=None)]


def _runset(name: str, runs: Sequence[str], told: Told, groupby: Sequence[str] = ()) -> wr.Runset:
    """The runs, whatever else the project holds; entity and project stay empty, which means the report's own."""
    events = [f"summary:{name}" for name in EVENTS if name in told.logged]
    settings = [f"config:{_accessor(name)}" for name in (*told.settings, "seed")]
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


def _grid(told: Told, panels: Sequence[Any], grouped: bool = False) -> wr.PanelGrid:
    """The panels over all runs; `grouped`: over each combination of settings, whose runs differ in seeds alone."""
    name = "the run" if len(told.runs) == 1 else "runs alike but for their seeds" if grouped else "all runs"
    runset = _runset(name, told.runs, told, list(told.settings) if grouped else [])
    return wr.PanelGrid(runsets=[runset], panels=list(panels))


def _overview(told: Told, events: Sequence[str]) -> list[Any]:
    bars = wr.BarPlot(title="events [steps]", metrics=list(events), max_bars_to_show=100, layout=_place(24, HEIGHT))
    if not told.settings:
        return [bars] if events else []
    columns = [wr.ParallelCoordinatesPlotColumn(wr.Config(name)) for name in told.settings]
    columns += [
        wr.ParallelCoordinatesPlotColumn(wr.SummaryMetric(name), display_name=metric(name).label)
        for name in (*events, *LAST)
        if name in told.logged
    ]
    parallel = wr.ParallelCoordinatesPlot(title="settings to events", columns=columns, layout=_place(24, HEIGHT))
    return [parallel]


def _lines(told: Told, title: str, log: str, names: Sequence[str], by: str | None = None) -> wr.LinePlot:
    there: list[Any] = [name for name in names if name in told.logged]
    bands: dict[str, Any] = {"groupby_aggfunc": "median", "groupby_rangefunc": "minmax"} if told.settings else {}
    if by:
        bands["groupby"] = wr.Config(by)
    return wr.LinePlot(
        title=title,
        x=STEP,
        y=there,
        log_x="x" in log,
        log_y="y" in log,
        title_x="optimizer steps",
        title_y=metric(there[0]).unit or None,
        max_runs_to_show=max(len(told.runs), 10),
        smoothing_type="none",
        layout=_place(WIDTH, HEIGHT),
        **bands,
    )


def _by(told: Told, setting: str, events: Sequence[str]) -> wr.PanelGrid:
    curves = ("loss/test", "progress/symmetrized_loss", "final_keys/restricted_loss", "final_keys/excluded_loss")
    panels: list[Any] = [
        _lines(told, f"{metric(name).label} by {setting}", "y", [name], setting)
        for name in curves
        if name in told.logged
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
        if name in told.logged
    ]
    values = told.settings[setting]
    return wr.PanelGrid(
        runsets=[_runset(f"{setting} = {value}", runs, told) for value, runs in values.items()], panels=panels
    )


def _place(width: int, height: int) -> wr.Layout:
    return wr.Layout(w=width, h=height)
