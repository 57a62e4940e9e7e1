"""Which pairs are trained on, and which of the others are truly unseen.

The authors draw pairs (paper §3, CPython's `random`). Where the operation is commutative, a share of their test
pairs, about the train fraction, are mirrors (b, a) of trained pairs, which a network answers that knows (a, b) by
heart. What is held out is therefore the rest.
"""

import random

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from grok.settings.checks import is_number, require_pairs_fit, require_whole

SPLITS = ("pairs", "unordered")


def train_mask(p: int, train_fraction: float, seed: int, split: str = "pairs") -> Bool[Tensor, "a=p b=p"]:
    """True on the training pairs.

    pairs: ⌊train_fraction · p²⌋ of them, drawn as the authors drew them (`random.shuffle` permutes by length alone,
    so shuffling positions shuffles the pairs) · unordered: a pair and its mirror (b, a) stay on one side; as many as
    fit into that count, at most one fewer.
    """
    if split not in SPLITS:
        raise ValueError(f"`split` must be one of {', '.join(SPLITS)}. Got {split!r}.")
    require_whole("p", p, 3)
    require_pairs_fit(p)
    require_whole("seed", seed, 0)
    if not is_number(train_fraction) or not 0 < train_fraction < 1:
        raise ValueError(f"`train_fraction` must lie strictly between 0 and 1. Got {train_fraction!r}.")
    count = int(train_fraction * p * p)
    if count == 0:
        raise ValueError(
            f"`train_fraction` must leave pairs to train on. Got {train_fraction}, which leaves none of the"
            f" {p * p} for p = {p}; {1 / (p * p):.2g} or more leaves one."
        )
    mask = torch.zeros(p * p, dtype=torch.bool)
    mask[_drawn(p, count, seed) if split == "pairs" else _drawn_with_mirrors(p, count, seed)] = True
    return mask.view(p, p)


def _drawn(p: int, count: int, seed: int) -> list[int]:
    order = list(range(p * p))
    random.Random(seed).shuffle(order)
    return order[:count]


def _drawn_with_mirrors(p: int, count: int, seed: int) -> list[int]:
    """Positions of pairs with their mirrors, in random order, as long as they fit into `count`.

    What is missing at the end, one place at most, is left to a pair (a, a), its own mirror, if one is left.
    """
    order = [(a, b) for a in range(p) for b in range(a, p)]
    random.Random(seed).shuffle(order)
    chosen: list[int] = []
    for a, b in order:
        positions = {a * p + b, b * p + a}
        if len(chosen) + len(positions) <= count:
            chosen.extend(positions)
    return chosen


def is_symmetric(answers: Int[Tensor, "a=p b=p"]) -> bool:
    """Whether every pair has the answer of its mirror (b, a), as where the operation is commutative."""
    return bool((answers == answers.T).all())


def unseen_mask(train: Bool[Tensor, "a=p b=p"], answers: Int[Tensor, "a=p b=p"]) -> Bool[Tensor, "a=p b=p"]:
    """U: the test pairs whose mirror (b, a) is not trained either; all test pairs where the table is not symmetric.

    A test pair (a, a) is its own mirror, and so unseen.
    """
    return ~train & ~train.T if is_symmetric(answers) else ~train


def mirrored_mask(train: Bool[Tensor, "a=p b=p"], answers: Int[Tensor, "a=p b=p"]) -> Bool[Tensor, "a=p b=p"]:
    """The test pairs that are no evidence of generalization: a symmetric table gives their answer by a trained pair."""
    return ~train & ~unseen_mask(train, answers)
