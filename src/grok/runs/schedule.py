"""When a run is measured, and so where its blocks of optimizer steps end."""

from collections.abc import Container
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from grok.runs.damage import DamagedFileError
from grok.runs.folder import RunFolder
from grok.settings.checks import require_whole


@dataclass(frozen=True)
class Schedule:
    """Measurements at step 0, each `early_every` steps up to `early_until`, each `every` steps beyond, and at the end.

    Args:
        every: optimizer steps between measurements, later on.
        early_every: the same at first, where events are close together (never more than `every`).
        early_until: the step up to which that holds.
        max_steps: the last step.
        at: steps besides, whose snapshots are asked for.
    """

    every: int
    early_every: int
    early_until: int
    max_steps: int
    at: tuple[int, ...] = ()

    @classmethod
    def of(cls, config: Any) -> "Schedule":
        """The schedule of a run's configuration; older ones have no `snapshots.at`."""
        early, at = config.measure_early, (config.get("snapshots") or {}).get("at") or ()
        return cls(config.measure_every, early.every, early.until, config.trainer.max_steps, tuple(at))

    def __post_init__(self) -> None:
        for name, value, least in [
            ("measure_every", self.every, 1),
            ("measure_early.every", self.early_every, 1),
            ("measure_early.until", self.early_until, 0),
            ("trainer.max_steps", self.max_steps, 1),
        ]:
            require_whole(name, value, least, " of steps")
        for step in self.at:
            require_whole("snapshots.at", step, 0, " of steps each")
            if step > self.max_steps:
                raise ValueError(
                    f"`snapshots.at` must list steps up to `trainer.max_steps`, {self.max_steps:,}. Got {step:,}."
                )

    @property
    def _early_stride(self) -> int:
        return min(self.every, self.early_every)

    def is_regular(self, step: int) -> bool:
        """Whether a run is measured at `step` however long it is to be."""
        return step in self.at or self._is_of_a_stride(step)

    def _is_of_a_stride(self, step: int) -> bool:
        return step % (self.every if step > self.early_until else self._early_stride) == 0

    def following(self, step: int) -> int:
        """The next step after `step` at which the run is measured."""
        early, late = ((step // stride + 1) * stride for stride in (self._early_stride, self.every))
        asked = (other for other in self.at if other > step)
        return min(early if early <= self.early_until else late, self.max_steps, *asked)

    def due(self, begun: int, last: int, measured: Container[int]) -> list[int]:
        """The steps measured from `begun` to `last`; of those asked for, maybe only later, the ones in `measured`."""
        ends = (begun, last)
        steps = range(begun, last + 1)
        return [s for s in steps if s in ends or self._is_of_a_stride(s) or (s in self.at and s in measured)]


def refuse_lost_rows(folder: RunFolder, schedule: Schedule, last: int, is_fork: bool) -> None:
    """`DamagedFileError` where a table does not hold each measurement up to step `last` once, and in order.

    A run from a checkpoint (`is_fork`) begins with the first step of the table.
    """
    if folder.snapshots() and not folder.metrics.exists():
        raise DamagedFileError(folder.metrics, "is missing")
    for file in (folder.metrics, folder.spectra):
        if not file.exists():
            continue
        table = folder.read(file)
        rows = table[table["step"] <= last]
        for _, part in rows.groupby("matrix") if "matrix" in rows and len(rows) else [("", rows)]:
            steps = part["step"].tolist()
            begun = (steps[0] if steps else last + 1) if is_fork else 0
            due = schedule.due(begun, last, steps)
            if steps != due:
                wrong = next((a if a is not None else b for a, b in zip_longest(due, steps) if a != b), 0)
                raise DamagedFileError(
                    file,
                    f"does not hold every measurement once and in order, from step {wrong} on; take it from a copy",
                )
