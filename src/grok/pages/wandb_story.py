"""What a W&B report tells: its sections, which metrics each shows, and the words between the panels."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from grok.measures import phases
from grok.measures.catalogue import metric

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
EVENTS = tuple(f"events/{name}" for name in phases.EVENTS)
PICTURES = ("pictures/progress", "pictures/spectrum", "pictures/spectra")
LAST = ("accuracy/test", "keys/count")  # final values beside a setting
GROUPED = (
    " Where curves are grouped, a line is the median over runs that differ in their seeds alone, and its band reaches"
    " from the least to the largest."
)
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


def head(told: Told) -> str:
    """What the runs are, and how to read the rest."""
    grouped = GROUPED if told.settings else ""
    return (
        f"{told.words}{grouped}\n\nMeasures, names and phases are those of {PAPER}, or this project's own where no"
        " section is named. While it memorizes, a network fits its training pairs alone; in circuit formation the"
        " general solution forms under an unchanged test loss; in clean-up what was memorized goes, and test loss"
        " falls.\n\nAn event that a run did not come to within its steps has no point here: *later*, not never."
    )


def explained(names: Sequence[str]) -> str:
    """Each measure in two sentences, with the paper's section."""
    known = (metric(name) for name in names)
    return "\n".join(
        f"- **{m.label}** (`{m.name}`{f'; paper, {m.section}' if m.section else ''}): {m.text}" for m in known
    )


def of_runs(events: Sequence[str]) -> str:
    """What the table and the overview show."""
    return "Each run with its regime, its settings, its events and what it ended with.\n\n" + explained(events)


def of_values(setting: str) -> str:
    """What the section of a setting shows."""
    return (
        f"Lines are medians over the runs of one value of `{setting}`, bands reach from the least to the largest."
        " Each value is a run set of its own, which can be switched off."
    )
