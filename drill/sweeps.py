"""Sweeps: controllers and points that are killed, two of them at once, points that vanish, clocks that jump."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

from drill import tiny
from drill.processes import Ended, finished, forked, started
from drill.tiny import Reference
from drill.verdicts import Do, Injection, LostError, UnclearError, Verdict, require_same, require_words
from grok.sweep.folder import SweepFolder

WAIT = 90.0  # seconds for something to begin


def injections(reference: Reference, random: Random, short: bool) -> Iterator[Injection]:
    """Each fault of a sweep, and the same command again; what comes of it is what the undisturbed sweep came to."""
    reference.sweep  # noqa: B018 - made before faults are shared out among processes
    for i in range(1 if short else 3):
        yield Injection("sweeps", f"the controller is killed, {i}", _controller(reference, signal.SIGKILL))
    if short:
        return
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        yield Injection("sweeps", f"the controller has {number.name}", _controller(reference, number))
    yield Injection("sweeps", "two controllers at once", _two(reference))
    for i in range(2):
        yield Injection("sweeps", f"memory runs out for a point, {i}", _point_killed(reference))
    yield Injection("sweeps", "a point is deleted", _edited(reference, _deleted))
    yield Injection("sweeps", "a point's checkpoints are deleted", _edited(reference, _without_checkpoints))
    yield Injection("sweeps", "the table of the sweep is deleted", _edited(reference, _without_table))
    yield Injection("sweeps", "the clock is set back by a day", _edited(reference, _clock(86_400)))
    yield Injection("sweeps", "the clock is set forward by a day", _edited(reference, _clock(-86_400)))
    yield Injection("sweeps", "twenty-four points on two slots", _many(reference))


def _words(folder: Path) -> list[str]:
    return ["train", "-m", *tiny.SETTINGS, *tiny.SWEPT, f"sweep={folder}", "launch=local"]


def _again(folder: Path, scratch: Path, reference: Reference) -> Verdict:
    ended = finished(started(_words(folder), scratch))
    require_words(ended, 0)
    _require_points(folder, reference)
    require_words(forked(["status", str(folder)], scratch), 0)
    require_words(forked(["collect", str(folder), "pictures=false"], scratch), 0)
    return Verdict("survived")


def _require_points(folder: Path, reference: Reference) -> None:
    ours, theirs = SweepFolder(folder), SweepFolder(reference.sweep)
    points = {str(point): theirs.run_folder(point).path for point in theirs.points()}
    found = {str(point): ours.run_folder(point).path for point in ours.points()}
    if found.keys() != points.keys():
        raise LostError(f"points {', '.join(found)}, not {', '.join(points)}")
    for name, path in found.items():
        require_same(path, points[name])


def _measured(folder: Path) -> list[Path]:
    return list(folder.rglob("metrics.csv"))


def _wait(until: Callable[[], object], process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + WAIT
    while not until() and process.poll() is None:
        if time.monotonic() > end:
            process.kill()
            raise UnclearError(f"nothing begun within {WAIT:.0f} s")
        time.sleep(0.02)


def _controller(reference: Reference, number: signal.Signals) -> Do:
    def do(scratch: Path, random: Random) -> Verdict:
        folder = scratch / "sweep"
        process = started(_words(folder), scratch)
        _wait(lambda: _measured(folder), process)
        time.sleep(random.uniform(0, 2))
        os.kill(process.pid, number)
        ended = finished(process)
        require_words(ended, 0, 130, 128 + number, -number)
        return _again(folder, scratch, reference)

    return do


def _two(reference: Reference) -> Do:
    def do(scratch: Path, random: Random) -> Verdict:
        folder = scratch / "sweep"
        first = started(_words(folder), scratch)
        time.sleep(random.uniform(0, 3))
        second = started(_words(folder), scratch)
        ended: list[Ended] = [finished(first), finished(second)]
        for one in ended:
            require_words(one, 0, 2)
        if all(one.status for one in ended):
            raise UnclearError("both were refused")
        return _again(folder, scratch, reference)

    return do


def _point_killed(reference: Reference) -> Do:
    def do(scratch: Path, random: Random) -> Verdict:
        folder = scratch / "sweep"
        process = started(_words(folder), scratch)
        _wait(lambda: _points_of(process.pid), process)
        time.sleep(random.uniform(0, 2))
        for pid in _points_of(process.pid)[:1]:
            os.kill(pid, signal.SIGKILL)
        require_words(finished(process), 0, 1, 3)
        return _again(folder, scratch, reference)

    return do


def _points_of(controller: int) -> list[int]:
    """The processes that train points, below a controller."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes()
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError):
                continue
            if parent == controller and b"grok.sweep.point" in words:
                found.append(int(entry.name))
    return found


def _edited(reference: Reference, change: Callable[[Path, Path], object]) -> Do:
    """What happens to a sweep that has ended, before the same command again."""

    def do(scratch: Path, random: Random) -> Verdict:
        folder = reference.copy(reference.sweep, scratch / "sweep")
        sweep = SweepFolder(folder)
        change(folder, sweep.run_folder(random.choice(list(sweep.points()))).path)
        require_words(forked(["status", str(folder)], scratch), 0)
        return _again(folder, scratch, reference)

    return do


def _deleted(sweep: Path, point: Path) -> None:
    for file in sorted(point.rglob("*"), reverse=True):
        file.rmdir() if file.is_dir() else file.unlink()
    point.rmdir()


def _without_table(sweep: Path, point: Path) -> None:
    (sweep / "runs.csv").unlink(missing_ok=True)


def _without_checkpoints(sweep: Path, point: Path) -> None:
    for file in (point / "checkpoints").iterdir():
        file.unlink()


def _clock(seconds: float) -> Callable[[Path, Path], None]:
    """Files as they would look had the clock been set back by so many seconds since."""

    def change(sweep: Path, point: Path) -> None:
        for file in sweep.rglob("*"):
            when = file.stat().st_mtime + seconds
            os.utime(file, (when, when))

    return change


def _many(reference: Reference) -> Do:
    def do(scratch: Path, random: Random) -> Verdict:
        folder = scratch / "sweep"
        words = ["train", "-m", *tiny.SETTINGS, "replicate=range(24)", f"sweep={folder}", "launch=local"]
        ended = finished(started(words, scratch), 400)
        require_words(ended, 0)
        sweep = SweepFolder(folder)
        states = [sweep.run_folder(point).summary().get("status") for point in sweep.points()]
        if states != ["finished"] * 24:
            raise LostError(f"of 24 points {states.count('finished')} have finished")
        return Verdict("survived")

    return do
