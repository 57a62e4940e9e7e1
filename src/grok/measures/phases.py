"""Events, phases and regime of a run, from its measured curves.

The paper draws its phase boundaries by eye (§5.2); every rule and level here is this project's own.
All functions take the whole history so far and look back only, so at each measurement they say
what could be known then; at the end of a run `final=True` applies the rules of the finished run.

An event is the interval (measurement before, measurement at which it holds], for a minimum
(one before, one after). "Held" means at three measurements running.
"""

import math
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from statistics import median
from typing import Any, SupportsFloat

HELD = 3  # measurements running
ACCURATE = 0.99  # accuracy at which pairs count as fitted, or generalized
WITHDRAWN = 1.2  # times ln p: loss on unseen pairs held above it takes a clean-up back
SLINGSHOT_FLOOR, SLINGSHOT_RATIO, SLINGSHOT_WINDOW = 1e-4, 100.0, 20  # loss, times the median of so many measurements
STABLE = 0.03  # change of ln(sum of squared weights) over the last quarter of all steps so far
SETTLED = math.log(2)  # and of ln(loss on unseen pairs)
QUARTER = 0.75
FLOOR = 2.0  # times its least value: excluded loss has not left its floor
LEFT = 10.0  # times its least value: while training, excluded loss has left its floor for good

PHASES = ("memorization", "circuit formation", "clean-up", "stable")
BOUNDARIES = ("memorization_end", "cleanup_start", "stable")  # the events between them

REGIME_WORDS = {
    "unfitted": "did not learn its training pairs within these steps",
    "memorized": "knows its training pairs by heart; did not generalize within these steps, which is not “never”",
    "direct": "test loss fell while it still fitted, so there are no phases",
    "partial": "began to generalize, and its weight norm converged before it had",
    "unfinished": "was generalizing when its steps ended",
    "grokked": "fitted the training pairs first and generalized later",
}
REGIMES = tuple(REGIME_WORDS)

Interval = tuple[int, int]


@dataclass
class History:
    """What the rules look at, one entry a measurement."""

    step: list[float]
    train_loss: list[float]
    test_loss: list[float]
    train_accuracy: list[float]
    test_accuracy: list[float]
    excluded_loss: list[float]  # symmetrized while training; with the final keys when the run has ended
    sum_squared_weights: list[float]
    largest_train_loss: list[float]  # of any step since the last measurement
    unseen_loss: list[float]  # on test pairs whose mirror is not trained; nan where there are none
    unseen_accuracy: list[float]
    key_frequencies: list[str | None]  # the current ones, separated by spaces; None where unknown

    @classmethod
    def restored(cls, state: Mapping[str, list[Any]]) -> "History":
        """A history out of a checkpoint. One that knew no unseen pairs has the test pairs in their place."""
        test = {"unseen_loss": state["test_loss"], "unseen_accuracy": state["test_accuracy"]}
        return cls(**{**test, "key_frequencies": [None] * len(state["step"]), **state})

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


@dataclass(frozen=True)
class Events:
    """When a run fitted its pairs, left each phase and became stable; None where it did not (so far)."""

    fitted: Interval | None = None
    memorization_end: Interval | None = None
    cleanup_start: Interval | None = None
    generalized: Interval | None = None
    stable: Interval | None = None

    def items(self) -> Iterator[tuple[str, Interval | None]]:
        """Name and interval of each event, in the order of a run that groks."""
        return ((field.name, getattr(self, field.name)) for field in fields(self))

    @property
    def direct(self) -> bool:
        """Whether the network generalized while fitting: there are no phases then."""
        return self.cleanup_start is not None and (self.fitted is None or self.cleanup_start[1] <= self.fitted[1])

    @property
    def phase(self) -> int | None:
        """Index into `PHASES`; None where a run has none because it generalizes directly."""
        if self.direct:
            return None
        return 3 if self.stable else 2 if self.cleanup_start else 1 if self.memorization_end else 0

    @property
    def provisional(self) -> bool:
        """Whether the boundary before the present phase may still be revised while training goes on."""
        return self.phase in (1, 2) and self.generalized is None


EVENTS = tuple(field.name for field in fields(Events))


def slingshots(history: History) -> list[bool]:
    """Measurements since whose predecessor the train loss jumped: above 1e-4 and 100 × its running median."""
    largest = history.largest_train_loss
    flags = []
    for i, value in enumerate(largest):
        past = [x for x in largest[max(0, i - SLINGSHOT_WINDOW) : i] if math.isfinite(x)]
        flags.append(bool(past) and value > max(SLINGSHOT_FLOOR, SLINGSHOT_RATIO * median(past)))
    return flags


def events(history: History, p: int, unseen_count: int, final: bool = False) -> Events:
    """The events of a run so far, or of a finished one.

    Args:
        history: one entry a measurement; transitions are frozen in slingshots.
        p: number of answers; chance level is ln p.
        unseen_count: number of test pairs, to tell accuracy from chance.
        final: the run has ended and `excluded_loss` is by its final keys.
    """
    jumps = slingshots(history)
    calm = [i for i, jump in enumerate(jumps) if not jump]
    fitted = _first_held(calm, lambda i: history.train_accuracy[i] >= ACCURATE)
    generalized = _first_held(calm, lambda i: history.unseen_accuracy[i] >= ACCURATE)
    cleanup = _cleanup_start(history, calm, p, unseen_count, final)
    direct = cleanup is not None and (fitted is None or cleanup <= fitted)
    floor_end = None if fitted is None or direct else _floor_end(history, calm, fitted, cleanup, final)
    stable = None if generalized is None else _stable(history, generalized, jumps)
    step = history.step
    return Events(
        fitted=_interval(step, fitted),
        memorization_end=None if floor_end is None else (int(step[floor_end]), int(step[floor_end + 1])),
        cleanup_start=_interval(step, cleanup),
        generalized=_interval(step, generalized),
        stable=_interval(step, stable),
    )


def regime(history: History, found: Events) -> str:
    """What kind of run this is so far: one of `REGIMES`.

    unfitted: training pairs not learned · memorized: no clean-up within these steps (not "never") ·
    partial: test loss fell, the weight norm converged, it did not generalize · direct: test loss fell below ln p
    while it still fitted · grokked: fitted, later generalized · unfinished: clean-up began, the steps ran out.
    """
    if found.fitted is None:
        return "unfitted"
    if found.cleanup_start is None:
        return "memorized"
    if found.generalized is None and at_rest(history):
        return "partial"
    if found.direct:
        return "direct"
    return "unfinished" if found.generalized is None else "grokked"


def unstable(history: History, found: Events) -> bool:
    """Whether the train loss jumped (a slingshot) after the pairs were fitted."""
    start = found.fitted[1] if found.fitted else math.inf
    return any(jump and step > start for step, jump in zip(history.step, slingshots(history), strict=True))


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


def _stable(history: History, generalized: int, jumps: Sequence[bool]) -> int | None:
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


def _interval(step: Sequence[float], i: int | None) -> Interval | None:
    return None if i is None else (int(step[max(i - 1, 0)]), int(step[i]))


def _first_held(calm: Sequence[int], condition: Callable[[int], bool], start: int = 0) -> int | None:
    run = 0
    for n, i in enumerate(calm):
        run = run + 1 if i >= start and condition(i) else 0
        if run == HELD:
            return calm[n - HELD + 1]
    return None


def _cleanup_start(history: History, calm: Sequence[int], p: int, unseen_count: int, final: bool) -> int | None:
    """Loss on unseen pairs held below ln p, unless later held above 1.2 ln p; at the end, the last such crossing."""
    if not unseen_count:
        return None
    level, loss = math.log(p), history.unseen_loss
    chance = 1 / p + 3 * math.sqrt((1 - 1 / p) / p / unseen_count)
    if not calm or history.unseen_accuracy[calm[-1]] <= chance:  # a plateau at ln p
        return None
    found: int | None = None
    below = above = 0
    for n, i in enumerate(calm):
        below = below + 1 if loss[i] < level else 0
        above = above + 1 if loss[i] > WITHDRAWN * level else 0
        if above == HELD:
            found = None
        if below == HELD and (found is None or final):
            found = calm[n - HELD + 1]
    if final and 0 < below < HELD:  # crossed just before the end
        found = calm[-below]
    return found


def _floor_end(history: History, calm: Sequence[int], fitted: int, cleanup: int | None, final: bool) -> int | None:
    """The last measurement between fitting and clean-up with excluded loss on its floor, within twice its least;
    None if it is not known to have left it.

    The floor is flat and long, so that where on it the least value falls is chance. While training the floor is
    known to be left once excluded loss is ten times its least, and ten times the train loss.
    """
    loss = history.excluded_loss
    span = [i for i in calm if i >= fitted and (cleanup is None or i <= cleanup) and not math.isnan(loss[i])]
    if not span:
        return None
    least = min(loss[i] for i in span)
    end = max(i for i in span if loss[i] <= FLOOR * least)
    if end == span[-1] or end + 1 >= len(loss):
        return None
    later = (i for i in span if i > end)
    left = final or any(loss[i] >= LEFT * least and loss[i] > 10 * history.train_loss[i] for i in later)
    return end if left else None


def cleanup_band(history: History, p: int) -> dict[str, int | None]:
    """Where loss on unseen pairs last falls below 2 ln p and below ½ ln p: how much T2 owes to the choice of ln p."""
    levels = {"2 ln p": 2 * math.log(p), "½ ln p": math.log(p) / 2}
    return {name: _last_fall(history, level) for name, level in levels.items()}


def _last_fall(history: History, level: float) -> int | None:
    loss = history.unseen_loss
    falls = (i for i in range(len(loss) - 1, 0, -1) if loss[i] < level <= loss[i - 1])
    i = next(falls, None)
    return None if i is None or not loss[-1] < level else int(history.step[i])
