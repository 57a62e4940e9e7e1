"""A sweep on disk: a folder of points, each a run of its own, and what has become of them.

    sweep.json          the points: what the sweep sets, the configuration's hash, the run's folder, status
    points/012.yaml     the resolved configuration of a point
    code/3f9a…/         the code and configuration that points run from (`grok.sweep.frozen_code`)
    runs/012_p59_…/     its run (`grok.run_folder`)
    output/012.txt      what its processes printed; 012.json: when the last of them began, and how it ended

Points are known by their configuration, not by their number: the same command finds them again.
"""

import fcntl
import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from grok.runs.configuration import leaves
from grok.runs.files import write_text
from grok.runs.folder import RunFolder
from grok.sweep.frozen_code import FrozenCode

# What says where and how a point runs, and not what it is; `name` says the rest once more.
PLACES = ("folder", "name", "resume", "sweep", "mixed", "launch", "dry_run")
NOWHERE = "the folder of the run"
STARTUP = 120.0  # seconds within which a process that began should have a run to show


@dataclass
class Point:
    """One configuration of a sweep."""

    number: int
    settings: dict[str, Any]  # what sets it apart: {"data.p": 59}
    configuration: str  # hash
    run: str  # folder, from the sweep's
    code: str = ""  # hash of the code it runs from
    status: str = "pending"  # or running, finished, interrupted, diverged, failed, lost
    reason: str | None = None  # of a failure, in a line

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
            plain = json.loads(self.file.read_text())
            codes = [FrozenCode(**code) for code in plain["codes"]]
            points = [Point(**point) for point in plain["points"]]
            return Sweep(plain["base"], codes, plain["jobs"], points)
        except (OSError, ValueError, KeyError, TypeError):
            raise ValueError(
                f"`sweep` must be the folder of a sweep, with a sweep.json of this project. Got {self.path}."
            ) from None

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

    def output_file(self, point: Point) -> Path:
        return self.path / "output" / f"{point.number:03d}.txt"

    def code_folder(self, point: Point) -> Path:
        return self.path / "code" / point.code

    def run_folder(self, point: Point) -> RunFolder:
        return RunFolder(self.path / point.run)

    # --- what became of a point

    def began(self, point: Point) -> None:
        """Note that a process was started for the point."""
        write_text(self._process_file(point), json.dumps({"code": None, "reason": None}) + "\n")

    def ended(self, point: Point, code: int) -> None:
        """Note how that process ended: its exit status, negative for a signal."""
        reason = f"signal {-code}" if code < 0 else _last_line(self.output_file(point)) if code else None
        write_text(self._process_file(point), json.dumps({"code": code, "reason": reason}) + "\n")

    def outcome(self, point: Point) -> tuple[str, str | None]:
        """Status and reason by what is on disk: the run's own summary, its signs of life, and how its process ended."""
        folder, file = self.run_folder(point), self._process_file(point)
        process = json.loads(file.read_text()) if file.exists() else {}
        status = folder.summary().get("status")
        if status == "finished":
            return "finished", None
        if process and process["code"] is None:
            if status == "running":
                return ("lost", "no sign of life") if folder.is_lost else ("running", None)
            if status is None or _older(folder.summary_file, file):  # it has not got so far as to write one
                fresh = time.time() - file.stat().st_mtime < STARTUP
                return ("running", None) if fresh else ("lost", "no sign of life")
        reason = process.get("reason")
        if status in (None, "running"):
            status = "pending" if not process and status is None else "interrupted" if _stopped(process) else "failed"
        return status, reason

    def _process_file(self, point: Point) -> Path:
        return self.output_file(point).with_suffix(".json")

    @contextmanager
    def controlled(self) -> Iterator[None]:
        """Keep other controllers out; `ValueError` where one is at work."""
        self.path.mkdir(parents=True, exist_ok=True)
        with (self.path / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise ValueError(
                    f"`sweep` must be a folder that nobody works on. Another command runs {self.path} now."
                ) from None
            yield


def added(folder: SweepFolder, sweep: Sweep, configurations: Mapping[str, tuple[dict[str, Any], DictConfig]]) -> None:
    """Make points, in `sweep` and on disk, of the configurations (by hash) that are none yet."""
    known = {point.configuration for point in sweep.points}
    for identity, (settings, config) in configurations.items():
        if identity not in known:
            number = len(sweep.points)
            name = str(config.name).replace("/", "_")
            point = Point(number, settings, identity, f"runs/{number:03d}_{name}")
            write_text(folder.config_file(point), OmegaConf.to_yaml(config, resolve=True))
            sweep.points.append(point)


def identity(config: DictConfig) -> str:
    """The hash of what a configuration says, wherever it runs; its folder must be `NOWHERE`."""
    told = _told(config)
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()[:16]


def base(configs: Sequence[DictConfig]) -> dict[str, Any]:
    """What all of the configurations share, by dotted name."""
    first, *others = (leaves(_told(config)) for config in configs)
    return {name: value for name, value in first.items() if all(other.get(name) == value for other in others)}


def differences(there: Mapping[str, Any], here: Mapping[str, Any]) -> list[str]:
    """What two bases both hold fixed, and hold at different values."""
    return [
        f"{name} (there {there[name]}, here {here[name]})"
        for name in there
        if here.get(name, there[name]) != there[name]
    ]


def as_typed(settings: Mapping[str, Any]) -> str:
    """Settings as they are typed."""
    return " ".join(f"{name}={value}" for name, value in settings.items())


def _told(config: DictConfig) -> dict[str, Any]:
    plain: Any = OmegaConf.to_container(config, resolve=True)
    told: dict[str, Any] = _one_number({key: value for key, value in plain.items() if key not in PLACES})
    return told


def _one_number(node: Any) -> Any:
    """1.0 and 1 are one and the same setting."""
    if isinstance(node, dict):
        return {key: _one_number(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_one_number(value) for value in node]
    return int(node) if isinstance(node, float) and node.is_integer() else node


def _older(file: Path, other: Path) -> bool:
    return file.stat().st_mtime_ns < other.stat().st_mtime_ns


def _stopped(process: Mapping[str, Any]) -> bool:
    """Whether a signal ended the process, or the machine did."""
    code = process.get("code")
    return code is None or code < 0 or code > 128


def _last_line(file: Path) -> str | None:
    lines = [line for line in file.read_text(errors="replace").splitlines() if line.strip()] if file.exists() else []
    return lines[-1].strip() if lines else None
