"""Which pictures of an analysis there are, and drawing those that were asked for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from grok.claims import logits
from grok.claims.anatomy import Anatomy
from grok.claims.facts import NetworkFacts
from grok.figures import circles, history, maps, network, representations, run, style, test_set
from grok.figures.curves import Phases
from grok.measures.evaluation import Evaluation
from grok.runs.folder import RunFolder
from grok.runs.opened import OpenedRun
from grok.settings.figure_style import FigureStyle
from grok.tasks.structure import structure


@dataclass(frozen=True)
class PicturedNetwork:
    """What is pictured: one network, and its run where it has one."""

    name: str
    step: int | None
    evaluation: Evaluation
    network: Anatomy | None
    facts: NetworkFacts
    folder: RunFolder | None
    history: pd.DataFrame | None  # of steps=all

    @property
    def title(self) -> str:
        return self.name + ("" if self.step is None else f" at step {self.step:,}")

    @property
    def has_waves(self) -> bool:
        """Whether its spectra are of cosines and sines, as for addition, also to describe what is no group."""
        return self.evaluation.structure.has_waves

    @property
    def phases(self) -> Phases:
        return (self.folder.summary().get("phases") if self.folder else None) or {}

    @cached_property
    def metrics(self) -> pd.DataFrame:
        return OpenedRun(self.folder).metrics if self.folder else pd.DataFrame()

    @cached_property
    def final_keys(self) -> pd.DataFrame:
        return OpenedRun(self.folder).final_keys if self.folder else pd.DataFrame()

    @cached_property
    def spectra(self) -> pd.DataFrame:
        return OpenedRun(self.folder).spectra if self.folder else pd.DataFrame()


# Each picture's name: what it needs, and what draws it.
OF_NETWORK: dict[str, tuple[Callable[[PicturedNetwork], bool], Callable[[PicturedNetwork], Figure]]] = {
    "norms": (
        lambda s: True,
        lambda s: (network if s.has_waves else representations).norms_figure(s.evaluation, s.facts),
    ),
    "circles": (
        lambda s: True,
        lambda s: (
            circles.circles_figure(_W_E(s.evaluation), s.facts)
            if s.has_waves
            else representations.planes_figure(s.evaluation, s.facts)
        ),
    ),
    "logit_spectrum": (
        lambda s: s.evaluation.is_linear,
        lambda s: network.logit_spectrum_figure(logits.spectrum(s.evaluation.logits), s.facts),
    ),
    "attention": (
        lambda s: s.network is not None and s.has_waves,
        lambda s: maps.attention_figure(_network(s), s.facts),
    ),
    "neurons": (
        lambda s: s.evaluation.neurons is not None and bool(s.facts.key_frequencies) and s.has_waves,
        lambda s: maps.neurons_figure(s.evaluation, s.facts),
    ),
    "histogram": (lambda s: bool(s.facts.neurons), lambda s: network.histogram_figure(s.facts)),
    "ablations": (lambda s: s.evaluation.has_group, lambda s: network.ablations_figure(s.facts)),
    "coefficients": (
        lambda s: s.history is not None and s.evaluation.has_group,
        lambda s: history.coefficients_figure(_rows(s), s.facts.key_frequencies, s.phases),
    ),
    "excluded": (
        lambda s: s.history is not None and s.evaluation.has_group,
        lambda s: history.excluded_figure(_rows(s), s.facts.key_frequencies, s.phases),
    ),
    "accuracy": (
        lambda s: s.history is not None and s.evaluation.has_group,
        lambda s: history.accuracy_figure(_rows(s), s.phases),
    ),
}
OVER_TRAINING = ("coefficients", "excluded", "accuracy")
# The same, of the run's own tables.
OF_RUN: dict[str, tuple[Callable[[PicturedNetwork], bool], Callable[[PicturedNetwork], Figure]]] = {
    "progress": (
        lambda s: not s.metrics.empty,
        lambda s: run.progress_figure(s.metrics, s.final_keys, s.phases, s.name, s.evaluation.p),
    ),
    "spectra": (
        lambda s: not s.spectra.empty,
        lambda s: run.spectra_figure(s.spectra, s.facts.key_frequencies, s.phases, s.name),
    ),
    "test_set": (
        lambda s: test_set.has_mirrored(s.metrics),
        lambda s: test_set.pairs_figure(s.metrics, s.phases, s.name, s.evaluation.p, s.history),
    ),
}
ANIMATION = "animation"
NAMES = (*OF_NETWORK, *OF_RUN, ANIMATION)


def chosen(told: Any) -> list[str]:
    """The names of the pictures that `figures=` asks for: all, none, one or a list; `ValueError` for others."""
    names = {"all": list(NAMES), "none": []}.get(told) if isinstance(told, str) else None
    if names is None:
        names = told if isinstance(told, list) else [told]
    if unknown := [name for name in names if name not in NAMES]:
        raise ValueError(f"`figures` must be all, none, or a list of {', '.join(NAMES)}. Got {unknown[0]!r}.")
    return names


def draw(names: Sequence[str], to: Path, pictured: PicturedNetwork, looks: FigureStyle) -> list[str]:
    """Draw the pictures that apply, in the formats of the style; their names."""
    drawn = []
    for name in names:
        if name == ANIMATION:
            if not _animated(pictured, to / f"{name}.gif", looks):
                continue
        else:
            applies, _ = {**OF_NETWORK, **OF_RUN}[name]
            if not applies(pictured):
                continue
            style.draw(looks, partial(picture, name, pictured), to / name)
        drawn.append(name)
    return drawn


def picture(name: str, pictured: PicturedNetwork) -> Figure:
    """One picture that applies, with its title."""
    if name in OF_RUN:
        return OF_RUN[name][1](pictured)
    figure = OF_NETWORK[name][1](pictured)
    figure.suptitle(pictured.name if name in OVER_TRAINING else pictured.title)
    return figure


def _animated(pictured: PicturedNetwork, file: Path, looks: FigureStyle) -> bool:
    folder, keys = pictured.folder, pictured.facts.key_frequencies
    if folder is None or pictured.history is None or not keys:
        return False
    opened = OpenedRun(folder)
    order = structure(opened.answers).order
    if order is None:
        return False
    embeddings = {step: folder.load_snapshot(step)["W_E"][:, order] for step in opened.steps}
    with style.applied(looks):
        history.animate(embeddings, keys, pictured.name, file)
    return True


def _W_E(evaluation: Evaluation) -> Any:
    assert evaluation.W_E is not None
    return evaluation.W_E


def _network(pictured: PicturedNetwork) -> Anatomy:
    assert pictured.network is not None
    return pictured.network


def _rows(pictured: PicturedNetwork) -> pd.DataFrame:
    assert pictured.history is not None
    return pictured.history
