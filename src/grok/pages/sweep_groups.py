"""The runs of a sweep grouped by their settings, and in what order."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from grok.figures.palette import REGIMES
from grok.pages.page import word

MOST_GROUPS = 8  # colours that can be told apart


def values(table: pd.DataFrame, setting: str) -> list[str]:
    """The values of a setting in order, numbers by size."""

    def place(value: Any) -> tuple[bool, float, str]:
        return (False, value, "") if isinstance(value, int | float) else (True, 0, str(value))

    return list(dict.fromkeys(word(value) for value in sorted(table[setting].tolist(), key=place)))


def combinations(table: pd.DataFrame, settings: Sequence[str]) -> dict[str, pd.DataFrame]:
    """The runs of each combination of settings, by its name; seeds aside they are alike."""
    if not settings:
        return {"all runs": table}
    named = table[list(settings)].map(word).apply(lambda row: ", ".join(f"{k} = {v}" for k, v in row.items()), axis=1)
    order = table.assign(_named=named).sort_values(list(settings), kind="stable")["_named"]
    groups = dict(list(table.groupby(named, sort=False)))
    return {name: groups[name] for name in dict.fromkeys(order)}


def groupings(table: pd.DataFrame, settings: Sequence[str]) -> dict[str, dict[str, list[int]]]:
    """Points by each combination of the settings, of all but one of them, and by one alone.

    First the finest whose groups have colours that can be told apart.
    """
    alone = [[name] for name in settings]
    but_one = [[other for other in settings if other != name] for name in reversed(settings)]
    by = {"each combination": list(settings)} | {", ".join(names): names for names in [*but_one, *alone] if names}
    if len(settings) == 1:
        del by[settings[0]]
    found = {
        name: {
            combination: [int(point) for point in group["point"]]
            for combination, group in combinations(table, names).items()
        }
        for name, names in by.items()
    }
    return dict(sorted(found.items(), key=lambda item: (len(item[1]) > MOST_GROUPS, -len(item[1]))))


def by_regime(table: pd.DataFrame) -> dict[str, list[int]]:
    """Points of each regime that occurs."""
    found = {name: [int(point) for point in table["point"][table["regime"] == name]] for name in REGIMES}
    return {name: points for name, points in found.items() if points}
