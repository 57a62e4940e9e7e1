"""A sweep's command from the points that were typed to its exit status."""

import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from omegaconf import DictConfig

from grok.settings.figure_style import figure_style
from grok.settings.pasting import command, from_here
from grok.settings.places import logs_folder, where_runs_go
from grok.sweep import slurm
from grok.sweep.batch import Batch
from grok.sweep.conclude import conclude
from grok.sweep.dry_run import print_plan
from grok.sweep.folder import Point, SweepFolder
from grok.sweep.join import MADE_FIRST, join, refuse_other_folders
from grok.sweep.pool import Slot
from grok.sweep.report import Report
from grok.sweep.requested import check, repetitions, requested_points
from grok.sweep.slots import slots_here, threads_words
from grok.sweep.slurm_queue import run_on_slurm
from grok.training.machine import busy_words

REFUSED = 2  # exit status


def run_sweep(points: Iterable[tuple[list[str], DictConfig]], path: str) -> int:
    """Run what is left of the points in the sweep's folder; the exit status.

    0: all finished · 1: none did · 2: refused, in one sentence · 3: some did not · 130: told to stop.

    Args:
        points: of each, the overrides that were typed, and the configuration they make, read before the next.
    """
    folder = SweepFolder(path)
    try:
        return _run(points, folder, Report(folder))
    except ValueError as error:
        print(error, file=sys.stderr)
        return REFUSED
    finally:
        remove_unless_sweep(path)


def _run(points: Iterable[tuple[list[str], DictConfig]], folder: SweepFolder, report: Report) -> int:
    requested = requested_points(points)
    first = next(iter(requested.values())).config
    allow_changes = _allow_changes(first, report)
    if first.resume or first.ckpt_path:
        raise ValueError("`resume` and `ckpt_path` are for one run. A sweep goes on by `sweep=<its folder>`.")
    slots = _checked_slots(first.launch)
    check(requested.values())
    for sentence in (sentence for point in requested.values() for sentence in repetitions(point)):
        report.print(sentence)
    if first.get("dry_run"):
        print_plan(report, requested.values(), first.launch, slots)
        return 0
    refuse_other_folders(folder)
    with folder.controlled():
        joined = join(folder, requested, allow_changes)
        left = _left(folder, joined, slots, report)
        if first.launch.kind == "slurm":
            ended = run_on_slurm(folder, left, first.launch, report)
        else:
            ended = Batch(folder, left, slots, report).run()
        return conclude(folder, joined, ended, figure_style(first) if first.pictures else None, report)


def _allow_changes(config: DictConfig, report: Report) -> bool:
    allow_changes = config.allow_changes
    if config.get("mixed") is not None:
        report.print("`mixed` is now called `allow_changes`.")
        allow_changes = config.mixed
    if not isinstance(allow_changes, bool):
        raise ValueError(f"`allow_changes` must be true or false. Got {allow_changes!r}.")
    return allow_changes


def _checked_slots(launch: DictConfig) -> list[Slot]:
    """The slots of this machine; none where SLURM is to run the points, and can. `ValueError` for what cannot be."""
    if launch.kind == "slurm":
        slurm.check(launch)
        return []
    return slots_here(launch)


def _left(folder: SweepFolder, points: Sequence[Point], slots: Sequence[Slot], report: Report) -> list[Point]:
    """The points to run. Damaged ones are left as they are: what they hold may be mended by hand."""
    damaged = [point for point in points if point.status == "damaged"]
    left = [point for point in points if point.status not in ("finished", "damaged")]
    finished = len(points) - len(left) - len(damaged)
    counts = f"{finished} finished, {len(left)} to run" + (f", {len(damaged)} damaged" if damaged else "")
    if folder.path.is_relative_to(logs_folder()):
        for line in where_runs_go():
            report.print(line)
    total = len(folder.read().points)
    which = f"{len(points):,} points" if total == len(points) else f"{len(points):,} of the {total:,} points"
    report.print(f"{which} in {folder.path}: {counts}")
    if left:
        report.print(f"how far they are: {command('status', from_here(folder.path))}")
        for sentence in [*threads_words(slots), *busy_words(0)] if slots else []:
            report.print(sentence)
    for point in damaged:
        report.print(f"{point}  damaged: {point.reason}; mend that file or remove it")
    return left


def remove_unless_sweep(folder: str | Path | None) -> None:
    """Hydra makes the folder before it calls: remove it again where it has not become that of a sweep."""
    if folder and not SweepFolder(folder).file.exists():
        with suppress(OSError):
            for name in MADE_FIRST:
                (Path(folder) / name).unlink(missing_ok=True)
            Path(folder).rmdir()
