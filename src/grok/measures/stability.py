"""When a network has stopped changing: weights, key frequencies and loss on unseen pairs rest (a rule of ours)."""

import math
from bisect import bisect_left
from collections.abc import Sequence

from grok.measures.history import History, slingshots

STABLE = 0.03  # change of ln(sum of squared weights) over the last quarter of all steps so far
SETTLED = math.log(2)  # and of ln(loss on unseen pairs)
QUARTER = 0.75


def at_rest(history: History) -> bool:
    """Whether the sum of squared weights has changed by less than 3 % over the last quarter of all
    steps, without a slingshot among them."""
    return bool(history.step) and _at_rest(history, len(history.step) - 1, slingshots(history))


def loss_decades(history: History) -> float | None:
    """How fast the loss on unseen pairs still falls, over the last quarter of all steps [decades per 1,000 steps].

    Negative where it rises; None without two measurements there, or without unseen pairs.
    """
    step, loss = history.step, history.unseen_loss
    j = bisect_left(step, QUARTER * step[-1]) if step else 0
    if not step or step[j] == step[-1] or not (loss[j] > 0 and loss[-1] > 0):
        return None
    return 1000 * math.log10(loss[j] / loss[-1]) / (step[-1] - step[j])


def stable_since(history: History, generalized: int, jumps: Sequence[bool]) -> int | None:
    """Where weights, key frequencies and loss on unseen pairs first rest together.

    None if weights or key frequencies change again later, until all three rest once more.
    """
    loss, stable = history.unseen_loss, None
    for i in range(generalized, len(jumps)):
        if not (_at_rest(history, i, jumps) and _same_key_frequencies(history, i)):
            stable = None
        elif stable is None:
            then = loss[bisect_left(history.step, QUARTER * history.step[i])]
            if then == loss[i] or (then > 0 and loss[i] > 0 and abs(math.log(loss[i] / then)) < SETTLED):
                stable = i
    return stable


def _at_rest(history: History, i: int, jumps: Sequence[bool]) -> bool:
    step, weights = history.step, history.sum_squared_weights
    start = QUARTER * step[i]
    j = bisect_left(step, start)
    if step[i] == 0 or weights[i] <= 0:
        return False
    then = weights[j]
    if step[j] > start and j > 0:  # between two measurements
        fraction = (start - step[j - 1]) / (step[j] - step[j - 1])
        then = weights[j - 1] + fraction * (weights[j] - weights[j - 1])
    moved = abs(math.log(weights[i] / then)) if then > 0 else math.inf
    return moved < STABLE and not any(jumps[j : i + 1])


def _same_key_frequencies(history: History, i: int) -> bool:
    """Whether the key frequencies, where known, are the same at all measurements of the last quarter of all steps."""
    start = bisect_left(history.step, QUARTER * history.step[i])
    return len(set(history.key_frequencies[start : i + 1]) - {None}) <= 1
