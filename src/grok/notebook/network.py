"""Networks in a notebook: a file of somebody else's, or one step of a run."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
from jaxtyping import Bool, Int
from matplotlib.figure import Figure
from torch import Tensor

from grok.analysis.examination import Examination, examination
from grok.figures.choice import OF_NETWORK, OVER_TRAINING, PicturedNetwork, picture
from grok.figures.style import applied
from grok.measures.evaluation import Evaluation
from grok.networks.subject import Subject, of_file
from grok.runs.folder import RunFolder
from grok.runs.opened import OpenedRun
from grok.settings.figure_style import figure_style

FIGURES = tuple(name for name in OF_NETWORK if name not in OVER_TRAINING)


class Network:
    """A trained network with its training pairs, examined when it is first asked.

    Args:
        subject: the network and what is known of it.
        rule: of the key frequencies, or a list of them.
        folder: of its run, if it is one of our own.
    """

    def __init__(self, subject: Subject, rule: str | Sequence[int] = "W_L", folder: RunFolder | None = None) -> None:
        self._subject, self._rule, self._folder = subject, rule, folder

    @property
    def p(self) -> int:
        """The modulus."""
        return self._subject.p

    @property
    def operation(self) -> str:
        """The operation it was trained on."""
        return self._subject.operation

    @property
    def answers(self) -> Int[Tensor, "a=p b=p"]:
        """The answer of every pair."""
        return self._subject.answers

    @property
    def train(self) -> Bool[Tensor, "a=p b=p"]:
        """True on the training pairs."""
        return self._subject.train

    @cached_property
    def _examination(self) -> Examination:
        return examination(self._subject, self._folder, self._rule)

    @property
    def evaluation(self) -> Evaluation:
        """The evaluation of all p² pairs in float64, as claims are judged by; answers in the order of a + b."""
        return self._examination.evaluation

    @property
    def key_frequencies(self) -> list[int]:
        """Its key frequencies."""
        return list(self._examination.facts.key_frequencies)

    def claims(self) -> pd.DataFrame:
        """A row a claim of the paper, as `python -m grok.analyze` writes them."""
        return pd.DataFrame(self._examination.claims(self._subject, self._rule))

    def figure(self, name: str) -> Figure:
        """The picture called `name`, one of `FIGURES`. `ValueError` for others, and where it does not apply."""
        if name not in FIGURES:
            raise ValueError(f"`name` must be one of {', '.join(FIGURES)}. Got {name!r}.")
        evaluation, network, facts = self._examination
        subject = self._subject
        pictured = PicturedNetwork(subject.name, subject.step, evaluation, network, facts, self._folder, None)
        applies, _ = OF_NETWORK[name]
        if not applies(pictured):
            raise ValueError(f"`name` must be a picture that this network can have. {subject.name} has no {name!r}.")
        with applied(figure_style(OpenedRun(self._folder).config if self._folder else None)):
            return picture(name, pictured)


def network_in(file: str | Path, settings: Mapping[str, Any], key_frequencies: str | Sequence[int]) -> Network:
    """The network in a file; what is None of the settings is taken from the file's own configuration."""
    return Network(of_file(Path(file), settings), key_frequencies)
