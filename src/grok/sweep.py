"""A sweep on disk: a folder of points, each a run of its own, and what has become of them.

    sweep.json          the points: what the sweep sets, the configuration's hash, the run's folder, status
    points/012.yaml     the resolved configuration of a point
    runs/012_p59_…/     its run (`grok.run_folder`)
    output/012.txt      what its processes printed

Points are known by their configuration, not by their number: the same command finds them again.
"""

import fcntl
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from grok.resume import moved
from grok.run_folder import RunFolder, replace_text

# What says where and how a point runs, and not what it is.
PLACES = ("folder", "resume", "sweep", "launch", "dry_run")
NOWHERE = "the folder of the run"


@dataclass
class Point:
    """One configuration of a sweep."""

    number: int
    settings: list[str]  # what sets it apart, as typed: "data.p=59"
    configuration: str  # hash
    run: str  # folder, from the sweep's
    status: str = "pending"  # or finished, interrupted, diverged, failed
    reason: str | None = None  # of a failure, in a line


class SweepFolder:
    """The folder of one sweep.

    Args:
        path: where it is; made by the first `add`.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).absolute()
        self.file = self.path / "sweep.json"

    def points(self) -> list[Point]:
        """All points, by number. `ValueError` where this is no sweep."""
        if not self.file.exists():
            raise ValueError(f"`sweep` must be the folder of a sweep, with a sweep.json. Got {self.path}.")
        return [Point(**point) for point in json.loads(self.file.read_text())["points"]]

    def write(self, points: Sequence[Point]) -> None:
        """Replace the list of points."""
        replace_text(self.file, json.dumps({"points": [asdict(point) for point in points]}, indent=1) + "\n")

    def add(self, configurations: Mapping[str, tuple[list[str], DictConfig]]) -> list[Point]:
        """Make points of the configurations (by hash) that are none yet; the points that were asked for."""
        known = self.points() if self.file.exists() else []
        by_hash = {point.configuration: point for point in known}
        for identity, (settings, config) in configurations.items():
            if identity in by_hash:
                continue
            number = len(known)
            name = str(config.name).replace("/", "_")
            point = Point(number, settings, identity, f"runs/{number:03d}_{name}")
            plain = moved(OmegaConf.to_container(config, resolve=True), NOWHERE, str(self.path / point.run))
            replace_text(self.config_file(point), OmegaConf.to_yaml(OmegaConf.create(plain)))
            known.append(point)
            by_hash[identity] = point
        self.write(known)
        return [by_hash[identity] for identity in configurations]

    def config_file(self, point: Point) -> Path:
        return self.path / "points" / f"{point.number:03d}.yaml"

    def output_file(self, point: Point) -> Path:
        return self.path / "output" / f"{point.number:03d}.txt"

    def run_folder(self, point: Point) -> RunFolder:
        return RunFolder(self.path / point.run)

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


def identity(config: DictConfig) -> str:
    """The hash of what a configuration says, wherever it runs; its folder must be `NOWHERE`."""
    plain: Any = OmegaConf.to_container(config, resolve=True)
    told = {key: value for key, value in plain.items() if key not in PLACES}
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()[:16]
