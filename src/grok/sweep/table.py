"""One table of all runs of a sweep.

A run that did not get to an event within its N steps is *censored at N*: it says "later than N", not "never".
Medians over seeds take it for that (Kaplan and Meier); no number is made up for it.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd

from grok.measures.phases import EVENTS
from grok.runs.configuration import at, flat_settings
from grok.runs.damage import DamagedFileError, reading
from grok.settings.short import in_full
from grok.sweep.folder import Point, SweepFolder

# Settings that every table has, and how they are typed.
SETTINGS = ("p", "train_fraction", "wd", "seed", "data_seed")
TYPED = ("data.p", "data.train_fraction", "optim.wd", "seed", "data.seed")
SEEDS = ("seed", "data_seed")


def sweep_table(path: Path) -> pd.DataFrame:
    """A row a point of the sweep in `path`, whatever became of it. `ValueError` for another folder.

    | Column | Value |
    |---|---|
    | `point`, `run`, `status`, `reason` | number, run folder, what became of it, why it failed or is damaged |
    | `p`, `train_fraction`, `wd`, `seed`, `data_seed`; others as typed | settings |
    | `steps`, `max_steps`, `regime`, `unstable` | how far it went, and what kind of run it is |
    | an event, and with `_after` | the interval (after, at] of steps it happened in; empty: not (yet) |
    | `delay` | step of `generalized` over step of `fitted` |
    | `key_count`, `key_frequencies` | of the final network |
    | a metric | its final value |
    """
    folder = SweepFolder(path)
    points = folder.points()
    others = dict.fromkeys(name for point in points for name in point.settings if name not in (*TYPED, "replicate"))
    return pd.DataFrame([_row(folder, point, list(others)) for point in points])


def _row(folder: SweepFolder, point: Point, others: Sequence[str]) -> dict[str, Any]:
    """The row of a point, with what cannot be read of it left empty."""
    row = {"point": point.number, "run": point.run, "status": point.status, "reason": point.reason}
    own = {**dict(zip(TYPED, SETTINGS, strict=True)), **{name: name for name in others}}
    row |= {column: point.settings.get(name) for name, column in own.items()}
    row |= dict.fromkeys(["steps", "max_steps", "regime", "unstable"])
    row |= dict.fromkeys(column for name in EVENTS for column in (f"{name}_after", name))
    row |= dict.fromkeys(["delay", "key_count", "key_frequencies"])
    try:
        row |= _configured(folder, point, others)
        row |= _measured(folder, point, row) if point.status != "damaged" else {}
    except DamagedFileError as error:
        row |= {"status": "damaged", "reason": str(error)}
    return row


def _configured(folder: SweepFolder, point: Point, others: Sequence[str]) -> dict[str, Any]:
    with reading(folder.config_file(point), folder.path):
        config = folder.config(point)
        flat = flat_settings(config)
        return {
            **{name: flat[name] for name in SETTINGS},
            **{name: point.settings.get(name, _plain(at(config, name))) for name in others},
            "max_steps": config["trainer"]["max_steps"],
        }


def _measured(folder: SweepFolder, point: Point, known: Mapping[str, Any]) -> dict[str, Any]:
    run = folder.run_folder(point)
    with reading(run.metrics, folder.path):
        run.refuse_changed(run.metrics)
    with reading(run.summary_file, folder.path):
        summary = run.summary()
        row: dict[str, Any] = {name: summary.get(name) for name in ("steps", "regime", "unstable")}
        phases = summary.get("phases") or {}
        for name in EVENTS:
            row[f"{name}_after"], row[name] = phases.get(name) or (None, None)
        both = row["fitted"] and row["generalized"]
        row["delay"] = row["generalized"] / row["fitted"] if both else None
        key_frequencies = summary.get("key_frequencies")
        if key_frequencies is not None:
            row["key_count"], row["key_frequencies"] = len(key_frequencies), " ".join(map(str, key_frequencies))
        final = summary.get("final") or {}
        return {**{name: value for name, value in final.items() if name not in known}, **row}  # `regime` is in both


def _plain(value: Any) -> Any:
    return value if isinstance(value, int | float | str | bool | None) else str(value)


def a_configuration(path: Path) -> dict[str, Any] | None:
    """That of the first point of a sweep that can be read."""
    folder = SweepFolder(path)
    for point in folder.points():
        with suppress(DamagedFileError), reading(folder.config_file(point), folder.path):
            return folder.config(point)
    return None


def swept(table: pd.DataFrame) -> list[str]:
    """The settings, seeds aside, that differ between points."""
    if table.empty:
        return []
    columns = list(table.columns)
    readable = table[table["status"] != "damaged"]
    settings = [name for name in columns[columns.index("p") : columns.index("steps")] if name not in SEEDS]
    return [name for name in settings if readable[name].nunique(dropna=False) > 1]


def axes(
    varying: Sequence[str], x: str | None = None, y: str | None = None, colour: str | None = None
) -> dict[str, str | None]:
    """Which settings the pictures are drawn over: as typed, by full or short name, else the first that vary."""
    columns = {in_full(f"{name}="): name for name in varying}
    x, y, colour = (columns.get(in_full(f"{typed}="), typed) for typed in (x, y, colour))
    for name, value in {"x": x, "y": y, "colour": colour}.items():
        if value and value not in varying:
            among = ", ".join(varying) or "nothing"
            raise ValueError(f"`{name}` must be a setting that the sweep varies, which is {among}. Got {value}.")
    free = [name for name in varying if name not in (x, y)]
    chosen: dict[str, str | None] = {
        name: typed or (free.pop(0) if free else None) for name, typed in {"x": x, "y": y}.items()
    }
    return {**chosen, "colour": colour or (varying[-1] if varying else None)}
