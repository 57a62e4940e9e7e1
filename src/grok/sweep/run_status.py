"""How far runs are, from their folders alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from omegaconf import OmegaConf
from rich.table import Table

from grok.measures.phases import PHASES
from grok.runs.folder import RunFolder
from grok.sweep.folder import SweepFolder


@dataclass
class Progress:
    """What there is to see of one run."""

    name: str
    status: str
    step: int | None = None
    max_steps: int | None = None
    phase: str = ""
    test_accuracy: float | None = None
    seconds_left: float | None = None
    reason: str = ""


def runs(path: Path) -> Iterator[tuple[str, RunFolder, str, str]]:
    """Name, folder, status and last failure of each run in a run or sweep folder. `ValueError` for neither."""
    if (path / "sweep.json").exists():
        sweep = SweepFolder(path)
        for point in sweep.points():
            yield str(point), sweep.run_folder(point), point.status, point.reason or ""
    elif RunFolder(path).holds_a_run:
        folder = RunFolder(path)
        yield path.name, folder, "lost" if folder.is_lost else folder.summary().get("status", "pending"), ""
    else:
        raise ValueError(f"The folder must be that of a run or of a sweep. {path} is neither.")


def progress(name: str, folder: RunFolder, status: str, reason: str) -> Progress:
    """How far a run is."""
    seen = Progress(name, status, reason=reason)
    if not folder.config.exists() or not folder.metrics.exists():
        return seen
    last = folder.read(folder.metrics).iloc[-1]
    seen.step, seen.max_steps = int(last["step"]), OmegaConf.load(folder.config).trainer.max_steps
    seen.test_accuracy = float(last["accuracy/test"]) if "accuracy/test" in last else None
    if "phase" in last and last["phase"] == last["phase"]:
        seen.phase = PHASES[int(last["phase"])]
    if status == "running":
        seen.seconds_left = _seconds_left(folder, seen.max_steps)
    if status == "finished":
        seen.phase = str(folder.summary().get("regime", ""))
    return seen


def _seconds_left(folder: RunFolder, max_steps: int) -> float | None:
    """At most, at the pace of the last ten measurements."""
    recent = list(folder.snapshots().items())[-10:]
    if len(recent) < 2:
        return None
    (first, early), (last, late) = recent[0], recent[-1]
    return (max_steps - last) * (late.stat().st_mtime - early.stat().st_mtime) / (last - first)


def table(path: Path) -> Table:
    """One row a run."""
    view = Table("run", "status", "step", "of", "phase or regime", "test accuracy", "at most left", "reason")
    for one in runs(path):
        seen = progress(*one)
        view.add_row(
            seen.name,
            seen.status,
            "" if seen.step is None else f"{seen.step:,}",
            "" if seen.max_steps is None else f"{seen.max_steps:,}",
            seen.phase,
            "" if seen.test_accuracy is None else f"{seen.test_accuracy:.1%}",
            "" if seen.seconds_left is None else f"{seen.seconds_left / 60:,.0f} min",
            seen.reason,
        )
    return view
