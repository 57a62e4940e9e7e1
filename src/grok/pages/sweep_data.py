"""What the page of a sweep draws from: its runs, their curves, and medians over the runs of one configuration."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from grok.figures.palette import REGIME_COLOURS
from grok.measures.catalogue import metric
from grok.measures.phases import EVENTS
from grok.pages.axes import log_axis
from grok.pages.page import word
from grok.pages.record import Record
from grok.runs.censoring import event_times, median_step
from grok.sweep.table import SEEDS

# What is drawn over the steps, and whether on a logarithmic axis.
CURVES = {
    "loss/test": True,
    "loss/train": True,
    "progress/symmetrized_loss": True,
    "progress/symmetrized_excluded_loss": True,
    "final_keys/restricted_loss": True,
    "final_keys/excluded_loss": True,
    "accuracy/test": False,
    "progress/gini_W_E": False,
    "progress/gini_W_L": False,
    "progress/sum_squared_weights": False,
    "keys/count": False,
}
MOST_KINDS = 8  # colours that can be told apart


def known(table: pd.DataFrame, records: Mapping[int, Record]) -> pd.DataFrame:
    """The table of the sweep, with what is known so far of runs that have not come to an end."""
    rows = []
    for _, row in table.iterrows():
        record = records.get(int(row["point"]))
        if record is not None and not record.settled:
            row["steps"], row["regime"] = record.steps, record.regime
            row["key_count"], row["key_frequencies"] = (
                len(record.key_frequencies),
                " ".join(map(str, record.key_frequencies)),
            )
            for name, when in record.events.items():
                row[f"{name}_after"], row[name] = when or (None, None)
        rows.append(row)
    return pd.DataFrame(rows).astype(object)


def values(table: pd.DataFrame, setting: str) -> list[str]:
    """The values of a setting in order, numbers by size."""

    def place(value: Any) -> tuple[bool, float, str]:
        return (False, value, "") if isinstance(value, int | float) else (True, 0, str(value))

    return list(dict.fromkeys(word(value) for value in sorted(table[setting].tolist(), key=place)))


def kinds(table: pd.DataFrame, settings: Sequence[str]) -> dict[str, pd.DataFrame]:
    """The runs of each combination of settings, by its name; seeds aside they are alike."""
    if not settings:
        return {"all runs": table}
    named = table[list(settings)].map(word).apply(lambda row: ", ".join(f"{k} = {v}" for k, v in row.items()), axis=1)
    order = table.assign(_named=named).sort_values(list(settings), kind="stable")["_named"]
    return {name: table[named == name] for name in dict.fromkeys(order)}


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
        name: {kind: [int(point) for point in group["point"]] for kind, group in kinds(table, names).items()}
        for name, names in by.items()
    }
    return dict(sorted(found.items(), key=lambda item: (len(item[1]) > MOST_KINDS, -len(item[1]))))


def by_regime(table: pd.DataFrame) -> dict[str, list[int]]:
    """Points of each regime that occurs."""
    found = {name: [int(point) for point in table["point"][table["regime"] == name]] for name in REGIME_COLOURS}
    return {name: points for name, points in found.items() if points}


def runs(table: pd.DataFrame, settings: Sequence[str], pages: Mapping[int, str]) -> list[dict[str, Any]]:
    """One entry a run for the page's script; its text is escaped for plotly."""
    order = {name: values(table, name) for name in settings}
    kind_of = {point: name for name, group in kinds(table, settings).items() for point in group["point"]}
    return [
        {
            "point": int(row["point"]),
            "kind": escape(kind_of[row["point"]]),
            "page": pages.get(int(row["point"])),
            "status": escape(str(row["status"])),
            "regime": row["regime"] if isinstance(row["regime"], str) else "no run",
            "seeds": escape(", ".join(f"{name} {row[name]}" for name in SEEDS if name in row)),
            "settings": {name: escape(word(row[name])) for name in settings},
            "places": {name: order[name].index(word(row[name])) for name in settings},
            "steps": _plain(row["steps"]),
            "events": {name: [_plain(row[f"{name}_after"]), _plain(row[name])] for name in EVENTS},
            "keys": None if not isinstance(row["key_frequencies"], str) else row["key_frequencies"],
            "count": _plain(row["key_count"]),
        }
        for _, row in table.iterrows()
    ]


def medians(table: pd.DataFrame, settings: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Of each event and combination of settings: the median step, the runs it is of, and how many came to it."""
    found: dict[str, dict[str, Any]] = {}
    for event in EVENTS:
        found[event] = {}
        for name, group in kinds(table, settings).items():
            times = event_times(group, event)
            if len(times):
                median = median_step(times["step"].tolist(), times["censored_at"].tolist())
                came = int(times["step"].notna().sum())
                found[event][escape(name)] = {"median": _plain(median), "runs": len(times), "came": came}
    return found


def curves(records: Mapping[int, Record]) -> dict[str, Any]:
    """Steps and values of every curve of every run, by metric and point."""
    found: dict[str, Any] = {}
    for name in CURVES:
        drawn = {point: record.columns(name) for point, record in records.items()}
        lines = {point: {"x": typed(xy[0]), "y": typed(xy[1])} for point, xy in drawn.items() if xy is not None}
        if lines:
            found[name] = lines
    return found


def bands(records: Mapping[int, Record], groups: Mapping[str, Iterable[int]]) -> dict[str, Any]:
    """Median, least and largest value of the runs of each group, at the steps where all of them were measured."""
    found: dict[str, Any] = {}
    for name in CURVES:
        for group, points in groups.items():
            lines = [records[point].columns(name) for point in points if point in records]
            series = [pd.Series(xy[1].to_numpy(dtype=float), index=xy[0]) for xy in lines if xy is not None]
            if not series:
                continue
            together = pd.concat(series, axis=1).dropna().sort_index()
            band = {"median": together.median(axis=1), "low": together.min(axis=1), "high": together.max(axis=1)}
            found.setdefault(name, {})[escape(group)] = {
                "x": typed(together.index), "runs": len(series), **{k: typed(v) for k, v in band.items()}
            }  # fmt: skip
    return found


def described(records: Iterable[Record]) -> list[dict[str, Any]]:
    """Name, label and axis of the metrics that can be chosen."""
    found = []
    for name, logarithmic in CURVES.items():
        drawn = [xy[1] for record in records if (xy := record.columns(name)) is not None]
        if drawn:
            axis = log_axis(pd.concat(drawn)) if logarithmic else {"rangemode": "tozero"}
            found.append(
                {"name": name, "label": metric(name).label, "axis": {**axis, "title": {"text": metric(name).axis}}}
            )
    return found


def events(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Name, label and axis of the events."""
    ends = table["steps"].dropna()
    return [
        {
            "name": name,
            "label": (label := metric(f"events/{name}").label),
            "axis": {
                **log_axis([*table[name].dropna(), *ends[table[name].isna()]], whole=True),
                "title": {"text": f"{label} [step]"},
            },
        }
        for name in EVENTS
    ]


def typed(values: Any) -> dict[str, str]:
    """Numbers as plotly reads them from text: base64 of float32."""
    return {"dtype": "f4", "bdata": base64.b64encode(np.asarray(values, dtype="<f4").tobytes()).decode()}


def _plain(value: Any) -> float | None:
    return None if value is None or pd.isna(value) else float(value)
