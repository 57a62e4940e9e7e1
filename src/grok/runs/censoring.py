"""Steps of events where some runs ended before the event came: censored, not missing.

One rule for tables, pages and pictures: `event_time` says what is known of one run, `median_time` of several; both
can be printed as they are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan, nan
from typing import Any

import pandas as pd


@dataclass(frozen=True)
class Time:
    """A step at which something happened or, where `censored`, that it came later than, if at all."""

    step: float
    censored: bool

    def __str__(self) -> str:
        return f"> {self.step:,.0f}" if self.censored else f"{self.step:,.0f}"


def event_time(row: "Mapping[str, Any] | pd.Series[Any]", event: str) -> Time | None:
    """When an event came to a run, or until when it did not; None where that says nothing about the event.

    That is so where nothing was run; and of the end of memorization where clean-up started without one, as in `direct`
    runs: it can no longer come.

    Args:
        row: of a run, with its `steps` so far and the step of every event, which may be missing.
        event: one of `grok.measures.phases.EVENTS`.
    """
    if pd.notna(row.get(event)):
        return Time(float(row[event]), censored=False)
    can_come = event != "memorization_end" or pd.isna(row.get("cleanup_start"))
    return Time(float(row["steps"]), censored=True) if can_come and pd.notna(row.get("steps")) else None


def event_words(row: "Mapping[str, Any] | pd.Series[Any]", event: str) -> str:
    """`event_time` in words, with the measurement before (`<event>_after`); empty where nothing is known."""
    time = event_time(row, event)
    if time is None:
        return ""
    if time.censored:
        return f"not within {time.step:,.0f} steps"
    return f"between {row[f'{event}_after']:,.0f} and {time.step:,.0f}"


def event_row(events: Mapping[str, Sequence[float] | None], steps: float) -> dict[str, float | None]:
    """The row of one run, of the intervals (after, at] of its events and its steps so far."""
    row: dict[str, float | None] = {"steps": steps}
    for name, when in events.items():
        row[f"{name}_after"], row[name] = when or (None, None)
    return row


def event_times(table: pd.DataFrame, event: str) -> pd.DataFrame:
    """The runs of which `event_time` is known; `step` is nan where the event did not come by step `censored_at`."""
    known = table[[event_time(row, event) is not None for _, row in table.iterrows()]]
    return known.assign(step=known[event].astype(float), censored_at=known["steps"].astype(float))


def median_step(steps: Sequence[float], censored_at: Sequence[float]) -> float:
    """The median step of an event by Kaplan and Meier's estimate; nan where that lies beyond what was seen.

    Where the estimate rests at exactly one half, the middle of that stretch, as for any even number of runs.

    Args:
        steps: of the event in each run; nan where it did not come.
        censored_at: the last step of each run, which counts where the event did not come.
    """
    median = median_time(steps, censored_at)
    return nan if median is None or median.censored else median.step


def median_time(steps: Sequence[float], censored_at: Sequence[float]) -> Time | None:
    """The same; where it lies beyond what was seen, the step that it is later than; None of no runs.

    That is the last step at which a run was seen without the event: what runs did after theirs says nothing. Where the
    estimate rests at one half there, half-way between its last event and that step.
    """
    pairs = sorted((end if isnan(step) else step, isnan(step)) for step, end in zip(steps, censored_at, strict=True))
    surviving, at_half = 1.0, nan
    for i, (step, censored) in enumerate(pairs):  # at one step, events come before what is censored there
        if not censored:
            surviving *= 1 - 1 / (len(pairs) - i)
            if surviving < 0.5 - 1e-9:
                return Time(step if isnan(at_half) else (at_half + step) / 2, censored=False)
            if surviving < 0.5 + 1e-9:
                at_half = step
    if not pairs:
        return None
    last = pairs[-1][0]
    return Time(last if isnan(at_half) else (at_half + last) / 2, censored=True)
