"""How far runs are, from their folders alone."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from rich.markup import escape
from rich.table import Table

from grok.measures.phases import PHASES
from grok.runs.configuration import loaded_plain
from grok.runs.damage import DamagedFileError, reading
from grok.runs.folder import RunFolder
from grok.runs.named import folders_in, is_sweep
from grok.sweep.folder import SweepFolder

MOST_ROWS = 60
ORDER = ("running", "lost", "damaged", "failed", "interrupted", "diverged", "pending", "finished")  # of what is shown


@dataclass
class Progress:
    """What is shown of one run."""

    name: str
    status: str
    step: int | None = None
    max_steps: int | None = None
    phase: str = ""
    test_accuracy: float | None = None
    seconds_left: float | None = None
    reason: str = ""


class Run(NamedTuple):
    """One run, and what became of it."""

    name: str
    folder: RunFolder
    status: str
    reason: str  # of its last failure or damage


def runs(path: Path) -> Iterator[Run]:
    """Each run of a run's or a sweep's folder, or of one that holds some. `ValueError` for others."""
    folders = folders_in(path)
    for folder in folders:
        if not is_sweep(folder):
            yield _lone_run(RunFolder(folder))
            continue
        sweep = SweepFolder(folder)
        above = f"{folder.name}  " if folders != [path] else ""
        for point in sweep.points():
            yield Run(f"{above}{point}", sweep.run_folder(point), point.status, point.reason or "")


def run_folders(path: Path) -> list[Path]:
    """The folders of those that have begun."""
    return [run.folder.path for run in runs(path) if run.folder.holds_a_run]


def _lone_run(folder: RunFolder) -> Run:
    try:
        with reading(folder.summary_file, folder.path):
            if folder.checkpoints():
                folder.require_summary()
            status = "lost" if folder.is_lost else folder.summary().get("status", "pending")
            return Run(folder.path.name, folder, status, "")
    except DamagedFileError as error:
        return Run(folder.path.name, folder, "damaged", str(error))


def progress(name: str, folder: RunFolder, status: str, reason: str) -> Progress:
    """How far a run is."""
    try:
        if status == "damaged" or not folder.holds(folder.metrics):
            return Progress(name, status, reason=reason)
        return _measured_progress(name, folder, status, reason)
    except DamagedFileError as error:
        return Progress(name, "damaged", reason=str(error))


def _measured_progress(name: str, folder: RunFolder, status: str, reason: str) -> Progress:
    progress = Progress(name, status, reason=reason)
    with reading(folder.config, folder.path.parent):
        max_steps = int(loaded_plain(folder.config)["trainer"]["max_steps"])
    with reading(folder.metrics, folder.path.parent):
        last = folder.last(folder.metrics)
        progress.step, progress.max_steps = int(last["step"]), max_steps
        progress.test_accuracy = float(last["accuracy/test"]) if "accuracy/test" in last else None
        if "phase" in last and last["phase"] == last["phase"]:
            progress.phase = PHASES[int(last["phase"])]
    if status == "running":
        progress.seconds_left = _seconds_left(folder, max_steps)
    if status == "finished":
        progress.phase = str(folder.summary().get("regime", ""))
    return progress


def _seconds_left(folder: RunFolder, max_steps: int) -> float | None:
    """At most, at the pace of the last ten measurements."""
    recent = list(folder.snapshots().items())[-10:]
    if len(recent) < 2:
        return None
    (first, early), (last, late) = recent[0], recent[-1]
    return (max_steps - last) * (late.stat().st_mtime - early.stat().st_mtime) / (last - first)


def status_table(path: Path, whole: bool = False) -> Table:
    """One row a run, and how many there are; of more than `MOST_ROWS` those that say most, unless all are wanted."""
    found = list(runs(path))
    shown_runs, counts = found, Counter(run.status for run in found)
    if len(found) > MOST_ROWS and not whole:
        shown_runs = sorted(found, key=lambda run: _place(run.status))[:MOST_ROWS]
    table = Table("run", "status", "step", "of", "phase or regime", "test accuracy", "at most left", "reason")
    if len(found) > 1:
        table.title = (
            f"{len(found):,} runs: {', '.join(f'{counts[status]:,} {status}' for status in sorted(counts, key=_place))}"
        )
    if len(shown_runs) < len(found):
        table.caption = f"{len(found) - len(shown_runs):,} more; all=true shows them"
    for run in shown_runs:
        shown = progress(*run)
        table.add_row(
            shown.name,
            shown.status,
            "" if shown.step is None else f"{shown.step:,}",
            "" if shown.max_steps is None else f"{shown.max_steps:,}",
            shown.phase,
            "" if shown.test_accuracy is None else f"{shown.test_accuracy:.1%}",
            "" if shown.seconds_left is None else f"{shown.seconds_left / 60:,.0f} min",
            escape(shown.reason),
        )
    return table


def _place(status: str) -> int:
    return ORDER.index(status) if status in ORDER else 0
