"""Which pictures of an analysis there are, and drawing those that were asked for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from grok.claims import logits
from grok.claims.anatomy import Anatomy
from grok.claims.facts import NetworkFacts
from grok.figures import history, network, run
from grok.figures.style import Phases, save
from grok.measures.evaluation import Evaluation
from grok.runs.folder import RunFolder
from grok.runs.opened import OpenedRun
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


# Each picture's name: what it needs, and what draws it.
OF_NETWORK: dict[str, tuple[Callable[[PicturedNetwork], bool], Callable[[PicturedNetwork], Figure]]] = {
    "norms": (lambda s: True, lambda s: network.norms_figure(s.evaluation, s.facts)),
    "circles": (
        lambda s: True,
        lambda s: (
            network.circles_figure(_W_E(s.evaluation), s.facts)
            if s.has_waves
            else network.planes_figure(s.evaluation, s.facts)
        ),
    ),
    "logit_spectrum": (
        lambda s: s.evaluation.is_linear,
        lambda s: network.logit_spectrum_figure(logits.spectrum(s.evaluation.logits), s.facts),
    ),
    "attention": (
        lambda s: s.network is not None and s.has_waves,
        lambda s: network.attention_figure(_network(s), s.facts),
    ),
    "neurons": (
        lambda s: s.evaluation.neurons is not None and bool(s.facts.key_frequencies) and s.has_waves,
        lambda s: network.neurons_figure(s.evaluation, s.facts),
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
    "test_set": (
        lambda s: s.history is not None and "loss/mirrored" in _metrics(s),
        lambda s: history.test_set_figure(_metrics(s), _rows(s), s.phases, s.facts.p),
    ),
}
OVER_TRAINING = ("coefficients", "excluded", "accuracy", "test_set")
OF_RUN = ("progress", "spectra")  # from the run's own tables
NAMES = (*OF_NETWORK, *OF_RUN, "animation")


def chosen(told: Any) -> list[str]:
    """The names of the pictures that `figures=` asks for: all, none, one or a list; `ValueError` for others."""
    names = {"all": list(NAMES), "none": []}.get(told) if isinstance(told, str) else None
    if names is None:
        names = told if isinstance(told, list) else [told]
    if unknown := [name for name in names if name not in NAMES]:
        raise ValueError(f"`figures` must be all, none, or a list of {', '.join(NAMES)}. Got {unknown[0]!r}.")
    return names


def draw(names: Sequence[str], to: Path, pictured: PicturedNetwork) -> list[str]:
    """Draw the pictures that apply, each as PNG and PDF; their names."""
    drawn = []
    for name in names:
        files = [to / f"{name}.png", to / f"{name}.pdf"]
        if name in OF_NETWORK:
            applies, picture = OF_NETWORK[name]
            if not applies(pictured):
                continue
            figure = picture(pictured)
            figure.suptitle(pictured.name if name in OVER_TRAINING else pictured.title, fontsize=10)
            save(figure, *files)
        elif not _of_run(name, files, pictured):
            continue
        drawn.append(name)
    return drawn


def _of_run(name: str, files: Sequence[Path], pictured: PicturedNetwork) -> bool:
    """Draw a picture of the whole run, if there is one to draw."""
    folder, keys = pictured.folder, pictured.facts.key_frequencies
    if folder is None:
        return False
    if name == "animation":
        opened = OpenedRun(folder)
        order = structure(opened.answers).order
        if pictured.history is None or not keys or order is None:
            return False
        embeddings = {step: folder.load_snapshot(step)["W_E"][:, order] for step in opened.steps}
        history.animate(embeddings, keys, pictured.name, files[0].with_suffix(".gif"))
        return True
    needed = folder.spectra if name == "spectra" else folder.metrics
    if not needed.exists():
        return False
    if name == "spectra":
        run.spectra_figure(folder.read(folder.spectra), keys, pictured.phases, pictured.name, *files)
    else:
        final = folder.read(folder.final_keys) if folder.final_keys.exists() else pd.DataFrame()
        run.progress_figure(folder.read(folder.metrics), final, pictured.phases, pictured.name, *files)
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


def _metrics(pictured: PicturedNetwork) -> pd.DataFrame:
    folder = pictured.folder
    return folder.read(folder.metrics) if folder and folder.metrics.exists() else pd.DataFrame()
