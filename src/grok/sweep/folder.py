"""A sweep on disk: a folder of points, each a run of its own, and what has become of them.

    sweep.json          the points: what the sweep sets, the configuration's hash, the run's folder, status
    points/012.yaml     the resolved configuration of a point
    code/3f9a…/         the code and configuration that points run from (`grok.sweep.frozen_code`)
    runs/012_p59_…/     its run (`grok.run_folder`)
    output/012.txt      what its processes printed; 012.json: when the last of them began, and how it ended

Points are known by their configuration, not by their number: the same command finds them again.
"""

import fcntl
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from grok.runs.configuration import loaded_plain, printable
from grok.runs.damage import DamagedFileError
from grok.runs.files import write_text
from grok.runs.folder import RunFolder
from grok.runs.lock import holder, sign
from grok.sweep.frozen_code import FrozenCode
from grok.sweep.identity import as_typed
from grok.sweep.outcome import note_beginning, note_end, outcome


@dataclass
class Point:
    """One configuration of a sweep."""

    number: int
    settings: dict[str, Any]  # what sets it apart: {"data.p": 59}
    configuration: str  # hash
    run: str  # folder, from the sweep's
    code: str = ""  # hash of the code it runs from
    status: str = "pending"  # or running, finished, interrupted, diverged, failed, lost, damaged
    reason: str | None = None  # of a failure or damage, in a line

    def __str__(self) -> str:
        return f"{self.number:03d}  {as_typed(self.settings)}"


@dataclass
class Sweep:
    """What sweep.json holds."""

    base: dict[str, Any] = field(default_factory=dict)  # what all points of the first command share
    codes: list[FrozenCode] = field(default_factory=list)  # the last is what new points run from
    jobs: list[str] = field(default_factory=list)  # of SLURM, of the last command
    points: list[Point] = field(default_factory=list)


class SweepFolder:
    """The folder of one sweep.

    Args:
        path: where it is; made by whoever writes to it first.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).absolute()
        self.file = self.path / "sweep.json"

    def read(self) -> Sweep:
        """What sweep.json says. `ValueError` where this is no sweep."""
        try:
            plain = printable(json.loads(self.file.read_text(encoding="utf-8")))
            codes = [FrozenCode(**code) for code in plain["codes"]]
            points = [Point(**point) for point in plain["points"]]
            self._refuse_outside(points)
            return Sweep(plain["base"], codes, plain["jobs"], points)
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            raise ValueError(
                f"`sweep` must be the folder of a sweep, with a sweep.json of this project. Got {self.path}."
            ) from None

    def _refuse_outside(self, points: Sequence[Point]) -> None:
        root, parents = self.path.resolve(), {Path(point.run).parent for point in points}
        outside = [parent for parent in parents if not (self.path / parent).resolve().is_relative_to(root)]
        for point in points:
            names = (str(point.number), point.code, Path(point.run).name)
            run = self.path / point.run
            leads_out = run.is_symlink() and not run.resolve().is_relative_to(root)
            if outside or leads_out or any("/" in name or name == ".." for name in names):
                raise ValueError

    def points(self) -> list[Point]:
        """All points by number, with what has become of each until now."""
        points = self.read().points
        for point in points:
            point.status, point.reason = self.outcome(point)
        return points

    def write(self, sweep: Sweep) -> None:
        """Replace sweep.json."""
        write_text(self.file, json.dumps(asdict(sweep), indent=1, default=str) + "\n")

    def config_file(self, point: Point) -> Path:
        return self.path / "points" / f"{point.number:03d}.yaml"

    def config(self, point: Point) -> dict[str, Any]:
        """The resolved configuration of a point, plain."""
        return loaded_plain(self.config_file(point))

    def output_file(self, point: Point) -> Path:
        return self.path / "output" / f"{point.number:03d}.txt"

    def code_folder(self, point: Point) -> Path:
        return self.path / "code" / point.code

    def run_folder(self, point: Point) -> RunFolder:
        return RunFolder(self.path / point.run)

    # --- what became of a point

    def began(self, point: Point) -> None:
        """Note that a process was started for the point."""
        note_beginning(self._process_file(point))

    def ended(self, point: Point, code: int) -> None:
        """Note how that process ended: its exit status, negative for a signal."""
        note_end(self._process_file(point), self.output_file(point), code)

    def outcome(self, point: Point) -> tuple[str, str | None]:
        """Status and reason by what is on disk."""
        try:
            return outcome(self.run_folder(point), self._process_file(point), self.path)
        except DamagedFileError as error:
            return "damaged", str(error)

    def _process_file(self, point: Point) -> Path:
        return self.output_file(point).with_suffix(".json")

    @contextmanager
    def controlled(self) -> Iterator[None]:
        """Keep other controllers out; `ValueError` where one is at work."""
        self.path.mkdir(parents=True, exist_ok=True)
        file = self.path / ".lock"
        with file.open("a+", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise ValueError(
                    f"`sweep` must be a folder that nobody works on. {self.path} is held by"
                    f" {holder(file) or 'another command'}; wait until it ends, or end it."
                ) from None
            sign(lock)
            yield
