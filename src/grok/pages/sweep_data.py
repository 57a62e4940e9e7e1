"""What the page of a sweep draws: its runs, their events and curves, and medians over runs of one configuration."""

import base64
import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from grok.measures.catalogue import METRICS, Metric, curves, metric
from grok.measures.panels import CURRENT_KEYS, PANELS
from grok.measures.phases import EVENTS
from grok.pages.axes import log_axis
from grok.pages.page import word
from grok.pages.portrait import SPIKE, WAVES
from grok.pages.record import Record
from grok.pages.sweep_groups import combinations, values
from grok.runs.censoring import event_time, event_words, median_time
from grok.sweep.table import SEEDS

# What can be chosen for a column of the table: numbers that say something of one run.
FINAL_CHOICES = [name for name in METRICS if "/" in name and not name.startswith("events/") and "…" not in name]


def compared() -> list[Metric]:
    """What is drawn over the steps: all that runs' pages show, but by key frequencies of the moment."""
    on_pages = [shown for name, panel in PANELS.items() if panel.on_page for shown in curves(name)]
    return [shown for shown in on_pages if shown.family != CURRENT_KEYS]


def up_to_date(table: pd.DataFrame, records: Mapping[int, Record]) -> pd.DataFrame:
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


def run_entries(table: pd.DataFrame, settings: Sequence[str], pages: Mapping[int, str]) -> list[dict[str, Any]]:
    """One entry a run for the page's script; its text is escaped for plotly."""
    order = {name: values(table, name) for name in settings}
    combination_of = {point: name for name, group in combinations(table, settings).items() for point in group["point"]}
    return [
        {
            "point": int(row["point"]),
            "combination": escape(combination_of[row["point"]]),
            "page": pages.get(int(row["point"])),
            "status": escape(str(row["status"])),
            "regime": row["regime"] if isinstance(row["regime"], str) else "no run",
            "seeds": escape(", ".join(f"{name} {row[name]}" for name in SEEDS if name in row)),
            "settings": {name: escape(word(row[name])) for name in settings},
            "places": {name: order[name].index(word(row[name])) for name in settings},
            "events": {name: _event(row, name) for name in EVENTS},
            "key_frequencies": None if not isinstance(row["key_frequencies"], str) else row["key_frequencies"],
            "count": _plain(row["key_count"]),
        }
        for _, row in table.iterrows()
    ]


def final_values(record: Record | None) -> dict[str, float]:
    """The last value of every metric that was measured in a run."""
    tables = [table for table in (record.metrics, record.final_keys) if len(table)] if record else []
    last = {name: table[name].iloc[-1] for table in tables for name in FINAL_CHOICES if name in table}
    return {name: float(f"{value:.6g}") for name, value in last.items() if math.isfinite(value)}


def portrait_ends(records: Mapping[int, Record]) -> dict[int, list[float]]:
    """Spike and waves of each run at its last measurement of both."""
    tables = {n: record.metrics for n, record in records.items() if {SPIKE, WAVES} <= set(record.metrics)}
    both = {n: table[[SPIKE, WAVES]].dropna() for n, table in tables.items()}
    return {n: table.iloc[-1].astype(float).tolist() for n, table in both.items() if len(table)}


def _event(row: "pd.Series[Any]", name: str) -> dict[str, Any] | None:
    """Where the script draws an event of a run, with which mark, and what it says; None: it draws nothing."""
    time = event_time(row, name)
    if time is None:
        return None
    return {"step": time.step, "censored": time.censored, "words": event_words(row, name)}


def medians(table: pd.DataFrame, settings: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Of each event and combination of settings: the median step, and in words which runs it is of.

    A median that lies beyond what was seen has no step.
    """
    found: dict[str, dict[str, Any]] = {event: {} for event in EVENTS}
    groups = combinations(table, settings)
    known = {event: {row["point"]: event_time(row, event) for _, row in table.iterrows()} for event in EVENTS}
    for event, by_name in found.items():
        for name, group in groups.items():
            times = [time for point in group["point"] if (time := known[event][point])]
            steps = [math.nan if time.censored else time.step for time in times]
            median = median_time(steps, [time.step for time in times])
            if median is not None:
                came = sum(not time.censored for time in times)
                words = f"median {median}; {came} of {len(times)} runs came to it"
                by_name[escape(name)] = {"step": None if median.censored else median.step, "words": escape(words)}
    return found


Lines = dict[int, "pd.Series[float]"]  # of one metric: values by step, by point


def all_lines(records: Mapping[int, Record], most: int | None) -> dict[str, Lines]:
    """Every metric's curves; of those that are measured at all steps, at most so many, the same of every run."""
    steps = np.unique(np.concatenate([record.metrics["step"].to_numpy() for record in records.values()]))
    if most is not None and len(steps) > most:  # evenly over the measurements, which lie closer at first
        steps = steps[np.linspace(0, len(steps) - 1, most).astype(int)]
    found: dict[str, Lines] = {}
    for name in (shown.name for shown in compared()):
        drawn = {point: record.columns(name) for point, record in records.items()}
        kept = None if name.startswith("final_keys/") else steps
        lines = {point: _at_steps(*xy, kept) for point, xy in drawn.items() if xy is not None}
        if lines:
            found[name] = lines
    return found


def _at_steps(x: "pd.Series[Any]", y: "pd.Series[Any]", steps: Any) -> "pd.Series[float]":
    """The values at those of the steps that were measured, and the last."""
    line = pd.Series(y.to_numpy(dtype=float), index=x.to_numpy())
    return line if steps is None else line[np.isin(line.index, steps) | (line.index == line.index[-1])]


def run_curves(lines: Lines) -> dict[int, Any]:
    """Steps and values of every run's curve."""
    return {point: {"x": encoded(line.index), "y": encoded(line)} for point, line in lines.items()}


def bands(lines: Lines, groups: Mapping[str, Iterable[int]]) -> dict[str, Any]:
    """Median, least and largest value of the runs of each group, at the steps where all of them were measured."""
    found: dict[str, Any] = {}
    for group, points in groups.items():
        series = [lines[point] for point in points if point in lines]
        if not series:
            continue
        together = pd.concat(series, axis=1).dropna().sort_index()
        band = {"median": together.median(axis=1), "low": together.min(axis=1), "high": together.max(axis=1)}
        found[escape(group)] = {
            "x": encoded(together.index), "runs": len(series), **{k: encoded(v) for k, v in band.items()}
        }  # fmt: skip
    return found


def metric_choices(records: Iterable[Record]) -> list[dict[str, Any]]:
    """Name, label and axis of the metrics that can be chosen."""
    choices = []
    for shown in compared():
        columns = [xy[1] for record in records if (xy := record.columns(shown.name)) is not None]
        if columns:
            axis = log_axis(pd.concat(columns)) if PANELS[shown.panel].log else {"rangemode": "tozero"}
            title = {"text": shown.axis}
            choices.append({"name": shown.name, "label": shown.label, "axis": {**axis, "title": title}})
    return choices


def event_choices(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Name, label and axis of the events."""
    choices = []
    for name in EVENTS:
        label = metric(f"events/{name}").label
        times = [time.step for _, row in table.iterrows() if (time := event_time(row, name))]
        axis = {**log_axis(times, whole=True), "title": {"text": f"{label} [step]"}}
        choices.append({"name": name, "label": label, "axis": axis})
    return choices


def encoded(values: Any) -> dict[str, str]:
    """Numbers as plotly reads them from text: base64 of float32."""
    return {"dtype": "f4", "bdata": base64.b64encode(np.asarray(values, dtype="<f4").tobytes()).decode()}


def _plain(value: Any) -> float | None:
    return None if value is None or pd.isna(value) else float(value)
