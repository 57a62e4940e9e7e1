"""Which pairs are trained on: the authors' split, drawn with CPython's `random` (paper §3)."""

import random

import torch
from jaxtyping import Bool
from torch import Tensor

from grok.settings.checks import is_number, require_whole


def train_mask(p: int, train_fraction: float, seed: int) -> Bool[Tensor, "a=p b=p"]:
    """True on the ⌊train_fraction · p²⌋ training pairs, drawn as the authors drew them.

    `random.shuffle` permutes by length alone, so shuffling positions shuffles the pairs.
    """
    require_whole("p", p, 3)
    require_whole("seed", seed, 0)
    if not is_number(train_fraction) or not 0 < train_fraction < 1:
        raise ValueError(f"`train_fraction` must lie strictly between 0 and 1. Got {train_fraction!r}.")
    count = int(train_fraction * p * p)
    if count == 0:
        raise ValueError(
            f"`train_fraction` must leave pairs to train on. Got {train_fraction}, which leaves none of the"
            f" {p * p} for p = {p}; {1 / (p * p):.2g} or more leaves one."
        )
    order = list(range(p * p))
    random.Random(seed).shuffle(order)
    mask = torch.zeros(p * p, dtype=torch.bool)
    mask[order[:count]] = True
    return mask.view(p, p)
