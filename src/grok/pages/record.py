"""What a run's folder says, read once and as far as it goes."""

import json
import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
from omegaconf import OmegaConf
from torch import Tensor

from grok.measures.phases import BOUNDARIES, EVENTS, REGIMES
from grok.runs.folder import RunFolder, kept_steps
from grok.runs.opened import OpenedRun

Interval = tuple[int, int]


@dataclass(frozen=True)
class Record:
    """A run, finished or not: its tables, its settings, what it came to, and what is to be said about the reading."""

    folder: RunFolder
    config: Mapping[str, Any]
    summary: Mapping[str, Any]
    metrics: pd.DataFrame
    final_keys: pd.DataFrame
    spectra: pd.DataFrame
    analysis: Mapping[str, Any]
    notes: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, path: Path) -> "Record":
        """The record of the run in `path`. `ValueError` where nothing was measured."""
        run = OpenedRun(path)
        folder = run.folder
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            metrics, final_keys, spectra = run.metrics, run.final_keys, run.spectra
        if metrics.empty:
            raise ValueError(f"The folder must be that of a run with measurements, in a metrics.csv. {path} has none.")
        notes = [str(warning.message).replace(f"{folder.path}/", "") for warning in caught]
        if folder.config.exists() and (edited := run.edited):
            notes.append(f"config.yaml was edited after the run had begun: {', '.join(edited)}.")
        if not folder.summary_file.exists():
            notes.append("summary.json is missing, and with it what the run came to; resume= writes it again.")
        if gone := folder.missing_snapshots():
            notes.append(f"Snapshots that were kept are gone: step {', '.join(map(str, gone))}.")
        return cls(
            folder,
            OmegaConf.to_container(run.config) if folder.config.exists() else {},  # type: ignore[arg-type]
            folder.summary(),
            metrics,
            final_keys,
            spectra,
            _analysis(path / "analysis.json", notes),
            notes,
        )

    @property
    def name(self) -> str:
        return str(self.config.get("name") or self.folder.path.absolute().name)

    @property
    def p(self) -> int | None:
        """How many symbols there are, where it is known; of modular addition the modulus."""
        symbols = self.summary.get("symbols")
        return len(symbols) if symbols else (self.config.get("data") or {}).get("p")

    @property
    def order(self) -> Sequence[int] | None:
        """The symbols in the order in which they are numbers that add; None where they are none, or not known."""
        group = self.summary.get("group")
        return group["order"] if group else None if self.p is None else range(self.p)

    def in_order(self, columns: Tensor) -> Tensor:
        """The columns of the symbols, of all columns, in that order."""
        symbols = columns[:, : self.p]
        group = self.summary.get("group")
        return symbols[:, group["order"]] if group else symbols

    @property
    def steps(self) -> int:
        """The step of the last measurement."""
        return int(self.metrics["step"].iloc[-1])

    @property
    def status(self) -> str:
        """As the summary has it; "lost" where it should be running and its heartbeat has stopped."""
        return "lost" if self.folder.is_lost else str(self.summary.get("status", "unknown"))

    @property
    def settled(self) -> bool:
        """Whether events and regime were settled by a pass over the whole run, and no step has been taken since."""
        return "phases" in self.summary and self.summary.get("status") != "running"

    @cached_property
    def events(self) -> dict[str, Interval | None]:
        """When each event happened: settled, or as known at the last measurement."""
        if self.settled:
            return {name: when and (when[0], when[1]) for name, when in self.summary["phases"].items()}
        last = self.metrics.iloc[-1]
        return {name: self._interval(last.get(f"events/{name}")) for name in EVENTS}

    def _interval(self, step: float | None) -> Interval | None:
        if step is None or math.isnan(step):
            return None
        before = self.metrics["step"][self.metrics["step"] < step]
        return (int(before.iloc[-1]) if len(before) else 0, int(step))

    @property
    def regime(self) -> str | None:
        """The kind of run it is, or would be were it to end now."""
        if self.settled:
            return self.summary.get("regime")
        last = self.metrics.iloc[-1].get("regime")
        return None if last is None or math.isnan(last) else REGIMES[int(last)]

    @cached_property
    def key_frequencies(self) -> list[int]:
        """Those of the final network, or of the last measurement."""
        if self.settled:
            return list(self.summary.get("key_frequencies") or [])
        text = self.metrics["keys"].iloc[-1] if "keys" in self.metrics else None
        return [int(k) for k in text.split()] if isinstance(text, str) else []

    @cached_property
    def phases(self) -> list[tuple[int, float, float]]:
        """Index into `grok.phases.PHASES`, first and last step of each phase; none where a run has none."""
        if self.regime == "direct":  # clean-up starts while it still fits
            return []
        starts = [(0, 0)] + [(i, when[1]) for i, name in enumerate(BOUNDARIES, 1) if (when := self.events.get(name))]
        if len(starts) == 1:
            return []
        ends = [start for _, start in starts[1:]] + [self.steps]
        return [(phase, start, end) for (phase, start), end in zip(starts, ends, strict=True) if end > start]

    def thinned(self, steps: list[int], most: int) -> list[int]:
        """At most so many of `steps`, those on either side of an event among them."""
        return kept_steps(steps, [when for when in self.events.values() if when], most)

    def columns(self, name: str) -> tuple[pd.Series, pd.Series] | None:
        """Steps and values of a metric; None where it was not logged."""
        table = self.final_keys if name.startswith("final_keys/") else self.metrics
        return (table["step"], table[name]) if name in table and not table[name].isna().all() else None


def _analysis(file: Path, notes: list[str]) -> Mapping[str, Any]:
    try:
        return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    except (OSError, ValueError, RecursionError):
        notes.append("analysis.json is not JSON; `python -m grok.analyze` makes it again.")
        return {}
