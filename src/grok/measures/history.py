"""The measured curves that events, phases and regimes are read from, and where training jumped."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from statistics import median
from typing import Any, SupportsFloat

SLINGSHOT_FLOOR, SLINGSHOT_RATIO, SLINGSHOT_WINDOW = 1e-4, 100.0, 20  # loss, times the median of so many measurements


@dataclass
class History:
    """What the rules look at, one entry a measurement."""

    step: list[float]
    train_loss: list[float]
    test_loss: list[float]
    train_accuracy: list[float]
    test_accuracy: list[float]
    excluded_loss: list[float]  # symmetrized while training; with the final key frequencies when the run has ended
    sum_squared_weights: list[float]
    largest_train_loss: list[float]  # of any step since the last measurement
    unseen_loss: list[float]  # on test pairs whose mirror is not trained; nan where there are none
    unseen_accuracy: list[float]
    key_frequencies: list[str | None]  # the current ones, separated by spaces; None where unknown
    spike: list[float] = field(default_factory=list)  # of memorization; empty in runs that knew none

    @classmethod
    def restored(cls, state: Mapping[str, list[Any]]) -> "History":
        """A history out of a checkpoint. One that knew no unseen pairs has the test pairs in their place."""
        test = {"unseen_loss": state["test_loss"], "unseen_accuracy": state["test_accuracy"]}
        unknown: dict[str, list[Any]] = {
            "key_frequencies": [None] * len(state["step"]),
            "spike": [math.nan] * len(state["step"]),
        }
        return cls(**{**test, **unknown, **state})

    def by_test_pairs(self) -> "History":
        """The same with all test pairs, as in the paper, in place of the unseen ones."""
        return replace(self, unseen_loss=self.test_loss, unseen_accuracy=self.test_accuracy)

    @classmethod
    def empty(cls) -> "History":
        return cls(*([] for _ in fields(cls)))

    def extended(self, key_frequencies: Sequence[int] | None, **row: SupportsFloat) -> "History":
        """This history and one more measurement."""
        named = None if key_frequencies is None else " ".join(map(str, key_frequencies))
        new = {**{name: float(value) for name, value in row.items()}, "key_frequencies": named}
        return History(**{f.name: [*getattr(self, f.name), new[f.name]] for f in fields(self)})


def slingshots(history: History) -> list[bool]:
    """Measurements since whose predecessor the train loss jumped: above 1e-4 and 100 × its running median."""
    largest = history.largest_train_loss
    flags = []
    for i, value in enumerate(largest):
        past = [x for x in largest[max(0, i - SLINGSHOT_WINDOW) : i] if math.isfinite(x)]
        flags.append(bool(past) and value > max(SLINGSHOT_FLOOR, SLINGSHOT_RATIO * median(past)))
    return flags
