"""What came first while a network was trained, and which frequencies won (paper §5.2, Fig. 7)."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from grok.measures.phases import HELD

LEVEL = 1.0  # nats; below it a loss has fallen (ours)


def fallen(step: Sequence[int], loss: Sequence[float], level: float = LEVEL) -> int | None:
    """The first of three measurements running at which a loss is below the level; None where there are none."""
    below = [value < level for value in loss]
    found = (when for i, when in enumerate(step) if i + HELD <= len(below) and all(below[i : i + HELD]))
    return next(found, None)


def lead(step: Sequence[int], loss: Sequence[float], test_loss: Sequence[float]) -> int | None:
    """By how many steps a loss falls below `LEVEL` before test loss does; negative after it; None without a fall."""
    early, late = fallen(step, loss), fallen(step, test_loss)
    return None if early is None or late is None else late - early


def rate_ratio(step: Sequence[int], curve: Sequence[float], start: int, middle: int, end: int) -> float | None:
    """How many times faster a curve moves from `middle` to `end` than from `start` to `middle`.

    Above 1 where it moves faster in clean-up than in circuit formation; None where there is no move or no time.
    """
    at = dict(zip(step, curve, strict=True))
    if not start < middle < end or any(math.isnan(at.get(x, math.nan)) for x in (start, middle, end)):
        return None
    before, after = (at[middle] - at[start]) / (middle - start), (at[end] - at[middle]) / (end - middle)
    return after / before if before else None


def inflections(step: Sequence[int], curve: Sequence[float], width: float) -> list[int]:
    """Where a positive curve's rate of change (of its logarithm) turns: where it falls or rises fastest or slowest.

    Rates are smoothed by a Gaussian of standard deviation `width` [steps]. A turn counts where the rate then moves by a
    twentieth of all that it ever moves; the first and last measurement are none.
    """
    when = torch.arange(step[0], step[-1] + 1, max(1.0, width / 5), dtype=torch.float64)
    known = torch.tensor(step, dtype=torch.float64)
    logs = torch.tensor(curve, dtype=torch.float64).log()
    after = torch.searchsorted(known, when).clamp(1, len(known) - 1)
    rate = ((logs[1:] - logs[:-1]) / (known[1:] - known[:-1]))[after - 1]
    near = torch.exp(-0.5 * ((when[:, None] - when) / width) ** 2)
    smooth: list[float] = (near @ rate / near.sum(1)).tolist()
    rounding = 1e-6 * max(abs(value) for value in smooth)  # a constant rate is not constant to the last digit
    least_move, found, turn, sign = max(0.05 * (max(smooth) - min(smooth)), rounding), list[int](), 0, 0
    for i, value in enumerate(smooth):
        if sign * (value - smooth[turn]) >= 0 and sign:
            turn = i  # still the same way
        elif abs(value - smooth[turn]) > least_move:
            found += [turn] if sign else []
            turn, sign = i, 1 if value > smooth[turn] else -1
    return [round(float(when[i])) for i in found if i]


def lottery(step: Sequence[int], keys: Sequence[Sequence[int]], final: Sequence[int]) -> dict[str, dict[int, int]]:
    """When each final key entered the key set for good, and when each other frequency was in it for the last time.

    Args:
        step: of each measurement.
        keys: the key set at each of them.
        final: the key set of the final network.
    """
    winners: dict[int, int] = {}
    losers: dict[int, int] = {}
    for k in final:
        since = None
        for when, now in zip(step, keys, strict=True):
            since = (when if since is None else since) if k in now else None
        if since is not None:
            winners[k] = int(since)
    for when, now in zip(step, keys, strict=True):
        losers.update({k: int(when) for k in now if k not in final})
    return {"winners": winners, "losers": dict(sorted(losers.items(), key=lambda item: -item[1]))}


Columns = Mapping[str, Sequence[int | float]]


@dataclass(frozen=True)
class Record:
    """What a run recorded of its training.

    Attributes:
        metrics, final_keys: columns of its tables, by their names in the files.
        ends: when memorization and circuit formation ended, and when the network had generalized; None before all.
        why_missing: why values are missing that it does not give.
    """

    metrics: Columns
    final_keys: Columns
    ends: tuple[int, int, int] | None
    why_missing: str

    def lead(self, table: Columns, column: str) -> tuple[float | None, str]:
        """By how many steps the loss in a column falls before test loss does, or why there is no such number."""
        test_loss = dict(zip(self.metrics.get("step", ()), self.metrics.get("loss/test", ()), strict=True))
        if column not in table:
            return None, self.why_missing
        rows = [row for row in zip(table["step"], table[column], strict=True) if row[0] in test_loss]
        steps = [int(step) for step, _ in rows]
        steps_ahead = lead(steps, [loss for _, loss in rows], [test_loss[step] for step in steps])
        return (None, self.why_missing) if steps_ahead is None else (float(steps_ahead), "")

    def rate_ratio(self, column: str) -> tuple[float | None, str]:
        """How many times faster a column moves in clean-up, until it has generalized, than in circuit formation.

        Or why there is no number. Clean-up's end, by the rule for stable, would take in a long quiet tail.
        """
        if self.ends is None or column not in self.metrics:
            return None, self.why_missing
        steps = [int(step) for step in self.metrics["step"]]
        ratio = rate_ratio(steps, [float(value) for value in self.metrics[column]], *self.ends)
        return (ratio, "") if ratio else (None, self.why_missing)

    def distance_to_inflections(self, column: str) -> tuple[float | None, str]:
        """How far the two boundaries of circuit formation lie from inflections of a column: the farther one.

        As a share of circuit formation's length; a twentieth of it smooths the column.
        """
        if self.ends is None or column not in self.metrics:
            return None, self._missing(column)
        start, end, _ = self.ends
        steps = [int(step) for step in self.metrics["step"]]
        found = inflections(steps, [float(value) for value in self.metrics[column]], (end - start) / 20)
        if not found or start >= end:
            return None, self.why_missing
        nearest = [min(found, key=lambda turn, event=event: abs(turn - event)) for event in (start, end)]  # type: ignore[misc]
        farther = max(abs(turn - event) for turn, event in zip(nearest, (start, end), strict=True))
        return farther / (end - start), f"{start:,} and {end:,}; inflections at {nearest[0]:,} and {nearest[1]:,}"

    def share_before(self, column: str) -> tuple[float | None, str]:
        """The share, before clean-up, of what a column gains from memorization's end until generalized."""
        if self.ends is None or column not in self.metrics:
            return None, self._missing(column)
        at = dict(zip(self.metrics["step"], self.metrics[column], strict=True))
        first, middle, last = (float(at.get(step, math.nan)) for step in self.ends)
        return ((middle - first) / (last - first), "") if last > first else (None, self.why_missing)

    def _missing(self, column: str) -> str:
        return self.why_missing if self.ends is None else f"its metrics have no {column}"
