"""The task of a run: the answer of every pair, and which pairs are trained on."""

from collections.abc import Sequence
from typing import Protocol

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from grok.tasks import splits, tables


class Task(Protocol):
    """What a run needs of its task. One's own is a class with these two, made from the settings under `data`."""

    answers: Int[Tensor, "a=p b=p"]  # from 0 to p - 1
    train: Bool[Tensor, "a=p b=p"]  # True on the pairs to train on
    # it may have `symbols`, their names, where they are not the numbers from 0 on


class ModularArithmetic:
    """All pairs of symbols of an operation, split as the authors split them (paper §3).

    Args:
        p: the modulus, 3 or more; the number of elements of a group or of a table in a file.
        operation: a name, a group such as S_5, a table's file, or a function's import path (`grok.tasks.tables`).
        train_fraction: share of the pairs to train on, strictly between 0 and 1.
        seed: of the split alone.
        split: pairs, as the authors drew them, or unordered, which keeps a pair and its mirror on one side.
    """

    def __init__(self, p: int, operation: str, train_fraction: float, seed: int, split: str = "pairs") -> None:
        found = tables.table(operation, p, seed)
        self.answers, self.symbols = found.answers, found.symbols
        self.train = splits.train_mask(len(self.answers), train_fraction, seed, split)


class ListedPairs:
    """All p² pairs of a modular operation, trained on the ones that are listed.

    Args:
        p: the modulus, 3 or more.
        operation: as for `ModularArithmetic`.
        places: a·p + b of every training pair.
    """

    def __init__(self, p: int, operation: str, places: Sequence[int]) -> None:
        found = tables.table(operation, p)
        self.answers, self.symbols = found.answers, found.symbols
        p = len(self.answers)
        if not places or min(places) < 0 or max(places) >= p * p:
            raise ValueError(f"`places` must be a·p + b of pairs, from 0 to {p * p - 1}. Got {len(places)} others.")
        self.train = torch.zeros(p * p, dtype=torch.bool)
        self.train[list(places)] = True
        self.train = self.train.view(p, p)
