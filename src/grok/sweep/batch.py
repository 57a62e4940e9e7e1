"""Points of a sweep on the slots of one machine: each in a process of its own, from the sweep's frozen code."""

import os
import sys
from collections.abc import Iterator, Sequence

from grok.sweep.folder import Point, SweepFolder
from grok.sweep.frozen_code import python_path
from grok.sweep.pool import Pool, Slot, Task
from grok.sweep.report import Report


class Batch:
    """Runs points, and notes in the sweep's folder when each began and how it ended.

    Args:
        sweep: the folder.
        points: what is to be run.
        slots: room for them.
        report: told what happens to each.
    """

    def __init__(self, sweep: SweepFolder, points: Sequence[Point], slots: Sequence[Slot], report: Report) -> None:
        self._sweep, self._points, self._report = sweep, {sweep.output_file(point): point for point in points}, report
        self._at_once = len(slots)
        self._pool = Pool(slots, self._started, self._ended, report.told, report.wait)

    def run(self) -> bool:
        """Run all points; False where a signal ended that early."""
        with self._report.following(list(self._points.values()), self._at_once):
            return self._pool.run(self._tasks())

    def end(self, seconds: float) -> None:
        """Have the points that run save and end, and wait so long for them."""
        self._pool.end(seconds)

    def _tasks(self) -> Iterator[Task]:
        own = os.environ.get("PYTHONPATH", "").split(os.pathsep)  # an operation or callback of the user's own
        for output, point in self._points.items():
            if not self._sweep.code_folder(point).exists():  # or what is installed here would run in its place
                raise ValueError(f"{self._sweep.code_folder(point)} must hold the code of the sweep. It is gone.")
            path = [*python_path(self._sweep.code_folder(point)), *filter(None, own)]
            config, run = self._sweep.config_file(point), self._sweep.run_folder(point).path
            command = [sys.executable, "-m", "grok.sweep.point", str(config), str(run)]
            yield Task(command, output, {"PYTHONPATH": os.pathsep.join(path)})

    def _started(self, task: Task, slot: Slot) -> None:
        point = self._points[task.output]
        self._sweep.began(point)
        self._report.began(point, f" on GPU {slot.gpu}" if slot.gpu is not None else "")

    def _ended(self, task: Task, code: int) -> None:
        point = self._points[task.output]
        self._sweep.ended(point, code)
        self._report.ended(point, ending(self._sweep, point))


def ending(sweep: SweepFolder, point: Point) -> str:
    """What became of a point, in a few words."""
    status, reason = sweep.outcome(point)
    if status == "finished":
        summary = sweep.run_folder(point).summary()
        return f"{summary.get('regime')} after {summary.get('steps'):,} steps"
    see = f" (see {sweep.output_file(point)})" if status == "failed" else ""
    return status + (f": {reason}" if reason else "") + see
