"""What a sweep prints while it runs, and what sweep.json says meanwhile."""

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from statistics import fmean

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from grok.sweep.folder import Point, Sweep, SweepFolder
from grok.sweep.run_status import Progress, progress

REFRESH, LOG_REFRESH = 2.0, 60.0  # seconds between two looks at what runs, on a terminal and in a log
SPARING = 100  # times as long as writing sweep.json took it is not written again: 1 % of the time


class Report:
    """Prints what happens to points and how far all are, and keeps sweep.json up to date with it.

    What it costs to hear of a point does not grow with the number of points.

    Args:
        folder: of the sweep.
        listing: whether sweep.json is kept up to date here; of several processes at work on a sweep, by one.
    """

    def __init__(self, folder: SweepFolder, listing: bool = True) -> None:
        self._listing = listing
        self._folder, self._console = folder, Console()
        self._live: Live | None = None
        self._sweep: Sweep | None = None  # as sweep.json is to say it
        self._unwritten, self._write_at = False, 0.0
        self._left: dict[int, Point] = {}  # neither running nor ended
        self._running: dict[int, tuple[Point, float]] = {}  # with the time of their start
        self._seconds: list[float] = []  # that points took from start to end
        self._ended, self._unfinished, self._at_once = 0, 0, 1
        self._shown_at = 0.0

    def print(self, words: str) -> None:
        """One line, however long."""
        self._console.print(words, highlight=False, soft_wrap=True, markup=False)

    @contextmanager
    def working(self, words: str) -> Iterator[Callable[[str], None]]:
        """Say on a terminal what is being done, until it is."""
        if not self._console.is_terminal:
            yield lambda _: None
            return
        with self._console.status(words) as status:
            yield status.update

    @contextmanager
    def following(self, points: Sequence[Point], at_once: int) -> Iterator[None]:
        """Show how far these points are, so many of them at once."""
        self._left, self._at_once = {point.number: point for point in points}, max(1, at_once)
        self._shown_at = time.monotonic()
        if self._console.is_terminal and points:
            self._live = Live(console=self._console, auto_refresh=False)
            self._live.start()
        try:
            yield
        finally:
            if self._live:
                self._live.stop()
                self._live = None

    def began(self, point: Point, where: str = "") -> None:
        """A point runs now."""
        if not self._listing:  # in the log of a job
            self.print(f"{point}  started{where}")
        self._left.pop(point.number, None)
        self._running[point.number] = point, time.monotonic()
        self._note(point)

    def ended(self, point: Point, words: str) -> None:
        """A point has ended, and what became of it, which is said once."""
        _, began = self._running.pop(point.number, (point, 0.0))
        self._left.pop(point.number, None)
        self._ended += 1
        self._note(point)
        if point.status == "finished":
            self._seconds += [time.monotonic() - began] if began else []
        else:
            self._unfinished += 1
        self.print(f"{point}  {words}")

    def told(self, number: int) -> None:
        """A signal to stop has come."""
        who = "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name
        self.print(f"{who}: no further point starts; the {len(self._running)} that run save and end")

    def wait(self) -> None:
        """Between two looks at what runs: write and show what is due."""
        now = time.monotonic()
        if self._unwritten and now >= self._write_at:
            self._write()
        if now >= self._shown_at + (REFRESH if self._live else LOG_REFRESH):
            self._shown_at = now
            self._show()

    def _note(self, point: Point) -> None:
        point.status, point.reason = self._folder.outcome(point)
        if not self._listing:
            return
        self._sweep = self._sweep or self._folder.read()
        listed = self._sweep.points[point.number]
        listed.status, listed.reason = point.status, point.reason
        self._unwritten = True
        if time.monotonic() >= self._write_at:
            self._write()

    def _write(self) -> None:
        assert self._sweep is not None
        began = time.monotonic()
        self._folder.write(self._sweep)
        ended = time.monotonic()
        self._unwritten, self._write_at = False, ended + SPARING * (ended - began)

    def _show(self) -> None:
        runs = [
            (point, progress(str(point), self._folder.run_folder(point), "running", ""), time.monotonic() - began)
            for point, began in self._running.values()
        ]
        words = self._words([(seen, elapsed) for _, seen, elapsed in runs])
        if not self._live:
            steps = "; ".join(f"{point.number:03d} {_step(seen)}" for point, seen, _ in runs[:4])
            more = f"; {len(runs) - 4} more" if len(runs) > 4 else ""
            self.print(f"{words}{f': {steps}{more}' if steps else ''}")
            return
        table = Table("running", "step", "phase", "test accuracy", box=None, pad_edge=False)
        room = max(1, self._console.height - 4)
        for _, seen, _ in runs[:room]:
            accuracy = "" if seen.test_accuracy is None else f"{seen.test_accuracy:.1%}"
            table.add_row(Text(seen.name), _step(seen), seen.phase, accuracy)
        rest = [Text(f"and {len(runs) - room} more")] if len(runs) > room else []
        self._live.update(Group(table, *rest, Text(words)), refresh=True)

    def _words(self, runs: Sequence[tuple[Progress, float]]) -> str:
        total = self._ended + len(self._running) + len(self._left)
        unfinished = f" ({self._unfinished} not finished)" if self._unfinished else ""
        left = self._time_left(runs)
        words = f"{self._ended:,} of {total:,} points done{unfinished}, {len(self._running):,} running"
        return words + ("" if left is None else f", about {duration(left)} left")

    def _time_left(self, runs: Sequence[tuple[Progress, float]]) -> float | None:
        """By what points took from start to end or, before any has ended, by how far those are that run."""
        shares = [(seen.step or 0) / seen.max_steps if seen.max_steps else 0.0 for seen, _ in runs]
        lengths = [elapsed / share for (_, elapsed), share in zip(runs, shares, strict=True) if share > 0]
        known = self._seconds or lengths
        if not known:
            return None
        each = fmean(known)
        running = sum(max(0.0, each - elapsed) for _, elapsed in runs)
        return (running + each * len(self._left)) / self._at_once


def _step(seen: Progress) -> str:
    if seen.step is None or seen.max_steps is None:
        return "starts"
    return f"step {seen.step:,} of {seen.max_steps:,}{f', {seen.phase}' if seen.phase else ''}"


def duration(seconds: float) -> str:
    """Seconds, minutes or hours, in two or three digits."""
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= 1.5 * length:
            return f"{seconds / length:.{1 if seconds < 10 * length else 0}f} {unit}"
    return f"{seconds:.0f} s"
