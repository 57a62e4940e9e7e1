"""Steps of events where some runs ended before the event came: censored, not missing."""

from collections.abc import Sequence
from math import isnan, nan

import pandas as pd


def event_times(table: pd.DataFrame, event: str) -> pd.DataFrame:
    """Of every run that was begun, the `step` of an event; nan where it did not come by step `censored_at`.

    Left out: points that never ran; and, for the end of memorization, runs whose clean-up started without one, such
    as `direct` runs: it can no longer come.
    """
    begun = table[table["steps"].notna()]
    if event == "memorization_end":
        begun = begun[begun["memorization_end"].notna() | begun["cleanup_start"].isna()]
    return begun.assign(step=begun[event].astype(float), censored_at=begun["steps"].astype(float))


def median_step(steps: Sequence[float], censored_at: Sequence[float]) -> float:
    """The median step of an event by Kaplan and Meier's estimate; nan where that lies beyond what was seen.

    Where the estimate rests at exactly one half, the middle of that stretch, as for any even number of runs.

    Args:
        steps: of the event in each run; nan where it did not come.
        censored_at: the last step of each run, which counts where the event did not come.
    """
    pairs = sorted((end if isnan(step) else step, isnan(step)) for step, end in zip(steps, censored_at, strict=True))
    surviving, at_half = 1.0, nan
    for i, (step, censored) in enumerate(pairs):  # at one step, events come before what is censored there
        if not censored:
            surviving *= 1 - 1 / (len(pairs) - i)
            if surviving < 0.5 - 1e-9:
                return step if isnan(at_half) else (at_half + step) / 2
            if surviving < 0.5 + 1e-9:
                at_half = step
    return nan
