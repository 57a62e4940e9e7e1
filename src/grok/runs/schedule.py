"""When a run is measured, and so where its blocks of optimizer steps end."""

from dataclasses import dataclass
from itertools import zip_longest

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
    """

    every: int
    early_every: int
    early_until: int
    max_steps: int

    def __post_init__(self) -> None:
        for name, value, least in [
            ("measure_every", self.every, 1),
            ("measure_early.every", self.early_every, 1),
            ("measure_early.until", self.early_until, 0),
            ("trainer.max_steps", self.max_steps, 1),
        ]:
            require_whole(name, value, least, " of steps")

    @property
    def _early_stride(self) -> int:
        return min(self.every, self.early_every)

    def is_regular(self, step: int) -> bool:
        """Whether a run is measured at `step` however long it is to be."""
        return step % self.every == 0 if step > self.early_until else step % self._early_stride == 0

    def following(self, step: int) -> int:
        """The next step after `step` at which the run is measured."""
        early, late = ((step // stride + 1) * stride for stride in (self._early_stride, self.every))
        return min(early if early <= self.early_until else late, self.max_steps)


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
            due = [step for step in range(begun, last + 1) if step in (begun, last) or schedule.is_regular(step)]
            if steps != due:
                wrong = next((a if a is not None else b for a, b in zip_longest(due, steps) if a != b), 0)
                raise DamagedFileError(
                    file,
                    f"does not hold every measurement once and in order, from step {wrong} on; take it from a copy",
                )
