"""The story of a run or sweep in W&B's own panels, told as on the local page.

Traps of W&B's: groups by `optim.wd` have to be written `optim.value.wd` (the library does so), filters `optim.wd`; so
panels name the flat copies that runs carry (`p`, `wd`, …). A line plot shows ten runs unless told to show more.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wandb_workspaces import expr
from wandb_workspaces.reports.v2 import interface as wr

from grok.metrics import metric
from grok.wandb_history import PICTURES, STEP

PAPER = "[Nanda et al., Progress measures for grokking](https://arxiv.org/abs/2301.05217)"
# Sections, and in each the panels: title, which axes are logarithmic, metrics.
STORY: Mapping[str, Sequence[tuple[str, str, Sequence[str]]]] = {
    "Losses": (
        ("train and test loss", "y", ("loss/train", "loss/test")),
        ("train and test loss over logarithmic steps", "xy", ("loss/train", "loss/test")),
        ("accuracy", "", ("accuracy/train", "accuracy/test")),
    ),
    "Progress measures": (
        (
            "restricted loss",
            "y",
            ("progress/symmetrized_loss", "progress/restricted_loss", "final_keys/restricted_loss"),
        ),
        (
            "excluded loss",
            "y",
            ("progress/symmetrized_excluded_loss", "progress/excluded_loss", "final_keys/excluded_loss"),
        ),
    ),
    "Sparsity and weights": (
        ("Gini coefficients", "", ("progress/gini_W_E", "progress/gini_W_L")),
        ("squared weights", "", ("progress/sum_squared_weights",)),
        ("key frequencies", "y", ("keys/count",)),
        ("what the key frequencies hold", "", ("keys/share", "neurons/explained")),
    ),
    "Phases": (("phase", "", ("phase",)),),
}
EVENTS = tuple(f"events/{name}" for name in ("fitted", "memorization_end", "cleanup_start", "generalized", "stable"))
LAST = ("accuracy/test", "keys/count")  # final values beside a setting
WIDTH, HEIGHT = 12, 8  # of a panel; a row has 24


SPECTRA = (
    "`pictures/spectra`: the share of every frequency in W_E and W_L over the steps; the few bright rows that remain"
    " are the key frequencies (paper, §4.1). `pictures/spectrum`: the same at the end (Fig. 3). `pictures/progress`:"
    " losses, sparsity and weights over the named phases (Fig. 7)."
)


@dataclass(frozen=True)
class Told:
    """What a report tells of.

    Args:
        title, words: what the runs are, for the head.
        runs: W&B's ids of the runs.
        settings: what a sweep varies, seeds aside, as named in W&B's configuration; for each, the runs of each value.
        logged: names of what at least one of the runs has logged.
        origin: commands, commits and versions the runs were made with.
    """

    title: str
    words: str
    runs: Sequence[str]
    settings: Mapping[str, Mapping[str, Sequence[str]]]
    logged: Collection[str]
    origin: str


def blocks(told: Told) -> list[Any]:
    """The whole report."""
    events = [name for name in EVENTS if name in told.logged]
    parts: list[Any] = [wr.MarkdownBlock(_head(told)), wr.TableOfContents(), wr.H2("Runs")]
    parts += [wr.MarkdownBlock(_columns_explained(events)), _grid(told, _overview(told, events))]
    for section, panels in STORY.items():
        named = list(dict.fromkeys(name for *_, names in panels for name in names if name in told.logged))
        if named:
            lines = [_lines(told, *panel) for panel in panels if set(panel[2]) & set(told.logged)]
            parts += [wr.H2(section), wr.MarkdownBlock(_explained(named)), _grid(told, lines)]
    for setting in told.settings:
        parts += [wr.H2(f"By {setting}"), wr.MarkdownBlock(_by_words(setting)), _by(told, setting, events)]
    media = wr.MediaBrowser(media_keys=[f"pictures/{name}" for name in PICTURES], num_columns=1, layout=_place(24, 16))
    parts += [wr.H2("Spectra"), wr.MarkdownBlock(SPECTRA), _grid(told, [media])]
    return [*parts, wr.H2("How they were made"), wr.CodeBlock(told.origin, language=None)]


def _head(told: Told) -> str:
    return (
        f"{told.words}\n\nMeasures, names and phases are those of {PAPER}, or this project's own where no section is"
        " named. While it memorizes, a network fits its training questions alone; in circuit formation the general"
        " solution forms under an unchanged test loss; in clean-up what was memorized goes, and test loss falls.\n\nAn"
        " event that a run did not come to within its steps has no point here: *later*, which is not never."
    )


def _explained(names: Sequence[str]) -> str:
    """Each measure in two sentences, with the paper's section."""
    known = (metric(name) for name in names)
    return "\n".join(
        f"- **{m.label}** (`{m.name}`{f'; paper, {m.section}' if m.section else ''}): {m.text}" for m in known
    )


def _columns_explained(events: Sequence[str]) -> str:
    return "Each run with its regime, its settings, its events and what it ended with.\n\n" + _explained([*events])


def _by_words(setting: str) -> str:
    return (
        f"Lines are medians over the runs of one value of `{setting}`, bands reach from the least to the largest."
        " Each value is a run set of its own, which can be switched off."
    )


def _runset(name: str, runs: Sequence[str], told: Told) -> wr.Runset:
    """The runs, whatever else the project holds; entity and project stay empty, which means the report's own."""
    events = [f"summary:{name}" for name in EVENTS if name in told.logged]
    settings = [f"config:{_accessor(name)}" for name in (*told.settings, "seed")]
    ends = ["summary:status", *events, "summary:accuracy/test", "summary:loss/test", "summary:keys/final"]
    return wr.Runset(
        name=name,
        filters=expr.And(expr.Metric("ID").isin(list(runs))),
        pinned_columns=["run:displayName"],
        visible_columns=["config:regime.value", *settings, *ends],
        lock_columns=True,
    )


def _accessor(setting: str) -> str:
    """`wd` as wd.value, `optim.lr` as optim.value.lr."""
    first, _, rest = setting.partition(".")
    return f"{first}.value.{rest}" if rest else f"{first}.value"


def _grid(told: Told, panels: Sequence[Any]) -> wr.PanelGrid:
    runset = _runset("all runs" if len(told.runs) > 1 else "the run", told.runs, told)
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
    grouped: dict[str, Any] = {}
    if by:
        grouped = {"groupby": wr.Config(by), "groupby_aggfunc": "median", "groupby_rangefunc": "minmax"}
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
        **grouped,
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
