"""Events, phases and regime of a run, from its measured curves.

The paper draws its phase boundaries by eye (§5.2); every rule and level here is this project's own.
All functions take the whole history so far and look back only, so at each measurement they say
what could be known then; at the end of a run `final=True` applies the rules of the finished run.

An event is the interval (measurement before, measurement at which it holds], for a minimum
(one before, one after). "Held" means at three measurements running.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace

from grok.measures.history import History, slingshots
from grok.measures.stability import at_rest, stable_since

HELD = 3  # measurements running
ACCURATE = 0.99  # accuracy at which pairs count as fitted, or generalized
WITHDRAWN = 1.2  # times ln p: loss on unseen pairs held above it takes a clean-up back
FLOOR = 2.0  # times its least value: excluded loss has not left its floor
LEFT = 10.0  # times its least value: while training, excluded loss has left its floor for good
HALF, TAKEN_BACK = 0.5, 0.6  # of the spike's depth: clean-up has started; has not after all

RULES = ("losses", "spike")  # by which the phases are told apart

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


def events(history: History, p: int, unseen_count: int, final: bool = False) -> Events:
    """The events of a run so far, or of a finished one.

    Args:
        history: one entry a measurement; transitions are frozen in slingshots.
        p: number of answers; chance level is ln p.
        unseen_count: number of test pairs, to tell accuracy from chance.
        final: the run has ended and `excluded_loss` is by its final key frequencies.
    """
    jumps = slingshots(history)
    calm = [i for i, jump in enumerate(jumps) if not jump]
    fitted = _first_held(calm, lambda i: history.train_accuracy[i] >= ACCURATE)
    generalized = _first_held(calm, lambda i: history.unseen_accuracy[i] >= ACCURATE)
    cleanup = _cleanup_start(history, calm, p, unseen_count, final)
    direct = cleanup is not None and (fitted is None or cleanup <= fitted)
    floor_end = None if fitted is None or direct else _floor_end(history, calm, fitted, cleanup, final)
    stable = None if generalized is None else stable_since(history, generalized, jumps)
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


def by_spike(history: History, found: Events, final: bool = False) -> Events:
    """The events with the phases told apart by memorization's spike, not by losses.

    Memorization ends where the spike is deepest, clean-up starts where half of that depth is gone, held (at the end of
    a run: for good). Neither where there is no spike, or where it never shrinks; a run without phases stays without.
    """
    if found.direct or found.fitted is None or not history.spike:
        return found
    start = found.fitted[1]
    calm = [i for i, jump in enumerate(slingshots(history)) if not jump and history.step[i] >= start]
    depth = {i: -history.spike[i] for i in calm if history.spike[i] < 0}
    nowhere = replace(found, memorization_end=None, cleanup_start=None)
    if not depth:
        return nowhere
    deepest = max(depth, key=lambda i: depth[i])
    later = [i for i in calm if i > deepest]
    halves = _crossing(
        later,
        below=lambda i: depth.get(i, 0.0) < HALF * depth[deepest],
        above=lambda i: depth.get(i, 0.0) > TAKEN_BACK * depth[deepest],
        last=final,
    )
    if not any(depth.get(i, 0.0) < (1 + HALF) / 2 * depth[deepest] for i in later):  # it may deepen yet
        return nowhere
    around = (int(history.step[max(deepest - 1, 0)]), int(history.step[deepest + 1]))
    return replace(found, memorization_end=around, cleanup_start=_interval(history.step, halves))


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
    return _crossing(calm, lambda i: loss[i] < level, lambda i: loss[i] > WITHDRAWN * level, last=final)


def _crossing(
    calm: Sequence[int], below: Callable[[int], bool], above: Callable[[int], bool], last: bool
) -> int | None:
    """The first (or `last`) measurement from which a curve is held below a level; none once held above another.

    The last one may also have come just before the end.
    """
    found: int | None = None
    under = over = 0
    for n, i in enumerate(calm):
        under = under + 1 if below(i) else 0
        over = over + 1 if above(i) else 0
        if over == HELD:
            found = None
        if under == HELD and (found is None or last):
            found = calm[n - HELD + 1]
    return calm[-under] if last and 0 < under < HELD else found


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
