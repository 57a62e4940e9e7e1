"""What W&B holds of a run, as the run's own tables have it: a row a measurement, and what it came to."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from grok.runs.configuration import loaded
from grok.runs.folder import RunFolder
from grok.runs.schedule import Schedule

STEP = "trainer/global_step"  # Lightning's name for the x axis
PICTURES = ("progress", "spectrum", "spectra", "portrait")
ENDED = ("concluding", "finished", "diverged", "failed")  # others may yet go on, with other final key frequencies


@dataclass(frozen=True)
class LastSent:
    """The last steps that a W&B run holds already, of measurements and of final-key curves; -1: none.

    The server's own summary says so, so that nothing is sent twice, whatever was cut off in between.
    """

    measured: int = -1
    curves: int = -1


def final_keys(folder: RunFolder) -> str | None:
    """The final network's key frequencies as one word for a table, "8 14 30 42"; None before there are any."""
    key_frequencies = folder.summary().get("key_frequencies")
    return None if key_frequencies is None else " ".join(map(str, key_frequencies))


def rows(folder: RunFolder, last_sent: LastSent, curves: bool = True) -> Iterator[dict[str, float]]:
    """Measurements and final-key `curves` after `last_sent`, one row a step, in order; without nan.

    Where a run may yet go on, the measurement at which it was interrupted is left out: going on, it is
    not taken (`RunFolder.truncate_after`).
    """
    table = _measurements(folder)
    table = table[table["step"] > last_sent.measured]
    if curves and len(by_final_keys := curves_of(folder)):
        table = table.merge(by_final_keys[by_final_keys["step"] > last_sent.curves], how="outer", on="step")
    for row in table.sort_values("step").to_dict("records"):
        step = int(row.pop("step"))
        yield {STEP: step, **{str(name): value for name, value in row.items() if pd.notna(value)}}


def logged(folder: RunFolder) -> set[str]:
    """The names under which W&B has values of the run, once it was logged online or sent."""
    return set[str](pictures(folder)).union(*rows(folder, LastSent()))


def sent(folder: RunFolder) -> dict[str, Any]:
    """What `grok.sync` has sent of a run, and where to; empty before it has."""
    return json.loads(folder.wandb_sent.read_text(encoding="utf-8")) if folder.wandb_sent.exists() else {}


def run_url(folder: RunFolder) -> str | None:
    """Where the run is at W&B: as it was logged online, or sent from there last; None where it is not."""
    return sent(folder).get("url") or folder.summary().get("wandb_url")


def pictures(folder: RunFolder) -> dict[str, Path]:
    files = {f"pictures/{name}": folder.path / f"{name}.png" for name in PICTURES}
    return {name: file for name, file in files.items() if "phases" in folder.summary() and file.exists()}


def _measurements(folder: RunFolder) -> pd.DataFrame:
    if not folder.holds(folder.metrics):
        return pd.DataFrame({"step": []})
    table = folder.read(folder.metrics).drop(columns="keys")
    if folder.summary().get("status") in ENDED:
        return table
    config = loaded(folder.config)
    early = config.measure_early
    schedule = Schedule(config.measure_every, early.every, early.until, config.trainer.max_steps)
    return table[[schedule.is_regular(int(step)) for step in table["step"]]]


def curves_of(folder: RunFolder) -> pd.DataFrame:
    if folder.summary().get("status") in ENDED and folder.final_keys.exists():
        return folder.read(folder.final_keys)
    return pd.DataFrame({"step": []})
