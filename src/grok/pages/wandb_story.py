"""What a W&B report tells: its sections, which metrics each shows, and the words between the panels."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from grok.measures import phases
from grok.measures.catalogue import curves, metric
from grok.measures.panels import PANELS

PAPER = "[Nanda et al., Progress measures for grokking](https://arxiv.org/abs/2301.05217)"
EVENTS = tuple(f"events/{name}" for name in phases.EVENTS)
PICTURES = ("pictures/progress", "pictures/spectrum", "pictures/spectra", "pictures/portrait")
LAST = ("accuracy/test", "keys/count")  # final values beside a setting
GROUPED = (
    " Where curves are grouped, a line is the median over runs that differ in their seeds alone, and its band reaches"
    " from the least to the largest."
)
SPECTRA = (
    "`pictures/spectra`: the share of every frequency in W_E and W_L over the steps; the few bright rows that remain"
    " are the key frequencies (paper, §4.1). `pictures/spectrum`: the same at the end (Fig. 3). `pictures/progress`:"
    " losses, sparsity and weights over the named phases (Fig. 7). `pictures/portrait`: memorization's spike against"
    " the circuit's waves."
)


@dataclass(frozen=True)
class ReportedRuns:
    """The runs that a report is about.

    Args:
        title, words: what they are, for the head.
        ids: W&B's own.
        settings: what a sweep varies, seeds aside, as named in W&B's configuration; for each, the runs of each value.
        logged: names of what at least one of the runs has logged.
        origin: commands, commits and versions the runs were made with.
    """

    title: str
    words: str
    ids: Sequence[str]
    settings: Mapping[str, Mapping[str, Sequence[str]]]
    logged: Collection[str]
    origin: str


@dataclass(frozen=True)
class Plot:
    """Curves of some metrics over the steps; `log` names the logarithmic axes."""

    title: str
    axis: str
    log: str
    names: Sequence[str]


def story(logged: Collection[str]) -> Mapping[str, Sequence[Plot]]:
    """The sections of a report and the plots of each: the catalogue's panels, as far as their metrics were logged."""
    sections: dict[str, list[Plot]] = {}
    for name, panel in PANELS.items():
        names = [metric.name for metric in curves(name) if metric.name in logged]
        if names:
            plots = sections.setdefault(panel.section, [])
            plots.append(Plot(panel.title, panel.axis, "y" if panel.log else "", names))
            if name == "losses":  # no reader can switch the scale here
                plots.append(Plot(f"{panel.title} over logarithmic steps", panel.axis, "xy", names))
    return sections


def head(runs: ReportedRuns) -> str:
    """What the runs are, and how to read the rest."""
    grouped = GROUPED if runs.settings else ""
    return (
        f"{runs.words}{grouped}\n\nMeasures, names and phases are those of {PAPER}, or this project's own where no"
        " section is named. While it memorizes, a network fits its training pairs alone; in circuit formation the"
        " general solution forms under an unchanged test loss; in clean-up what was memorized is removed, and test loss"
        " falls.\n\nAn event that did not come within a run's steps has no point here: *later*, not never."
    )


def explanations(names: Sequence[str]) -> str:
    """Each measure in the catalogue's words, with the paper's section."""
    known = (metric(name) for name in names)
    return "\n".join(
        f"- **{m.label}** (`{m.name}`{f'; paper, {m.section}' if m.section else ''}): {m.text}" for m in known
    )


def runs_words(events: Sequence[str]) -> str:
    """What the table and the overview show."""
    return "Each run with its regime, its settings, its events and what it ended with.\n\n" + explanations(events)


def setting_words(setting: str) -> str:
    """What the section of a setting shows."""
    return (
        f"Lines are medians over the runs of one value of `{setting}`, bands reach from the least to the largest."
        " Each value is a run set of its own, which can be switched off."
    )
