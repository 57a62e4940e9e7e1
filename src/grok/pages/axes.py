"""Logarithmic axes with few and plain numbers on them."""

import math
from collections.abc import Iterable
from typing import Any


def step_axis(steps: Iterable[float]) -> dict[str, Any]:
    """A logarithmic axis from the first positive step to the last."""
    positive = [step for step in steps if step > 0]
    axis = log_axis(positive, whole=True)
    return {**axis, "range": [math.log10(min(positive)), math.log10(max(positive))]} if len(set(positive)) > 1 else axis


def log_axis(values: Iterable[float], whole: bool = False) -> dict[str, Any]:
    """A logarithmic plotly axis over `values`: powers of ten, or where they span little also 2 and 5 times those.

    Args:
        values: what is drawn; numbers that are not positive have no place on the axis.
        whole: write steps, 2,000, and not 2 × 10³.
    """
    positive = [value for value in values if value > 0 and math.isfinite(value)]
    low, high = (math.log10(min(positive)), math.log10(max(positive))) if positive else (0.0, 1.0)
    axis: dict[str, Any] = {"type": "log", "exponentformat": "power"}
    if whole:
        axis["tickformat"] = ",d"
    if high - low > 2.5:
        return {**axis, "dtick": math.ceil((high - low) / 7)}
    ticks = [x * 10.0**n for n in range(math.floor(low) - 1, math.ceil(high) + 1) for x in (1, 2, 5)]
    text = [f"{tick:,.0f}" if whole else f"{tick:.15g}" for tick in ticks]
    if high - low < 0.2:  # all but one value: room about it
        axis["range"] = [low - 0.3, high + 0.3]
    return {**axis, "tickmode": "array", "tickvals": ticks, "ticktext": text}
