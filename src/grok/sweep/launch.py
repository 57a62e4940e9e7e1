"""A sweep from its points to its end: what is left to do, where it runs, and what came of it."""

import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from hydra.errors import InstantiationException
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from grok.settings.known import refuse_unknown
from grok.settings.quiet import quiet
from grok.sweep import estimate, slurm
from grok.sweep.batch import Batch, ending
from grok.sweep.folder import NOWHERE, PLACES, Point, Sweep, SweepFolder, added, as_typed, base, differences, identity
from grok.sweep.frozen_code import differing_files, freeze, present_code
from grok.sweep.results import write_results
from grok.sweep.slots import slots_here
from grok.sweep.table import axes, sweep_table, swept
from grok.training.experiment import Experiment, assemble

FAILED = 3  # exit status: some points did not finish
POLL = 2.0  # seconds between looks at SLURM's queue
MADE_FIRST = ("multirun.yaml", ".lock")  # in a sweep's folder, before there is a sweep.json
NAMED = 5  # files that differ, in a sentence

Configurations = dict[str, tuple[dict[str, Any], DictConfig]]


def run_sweep(points: Sequence[tuple[list[str], DictConfig]], folder: str) -> int:
    """Run what is left of the points in the sweep's folder; the exit status.

    0: all finished · 1: none did · 2: refused, in one sentence · 3: some did not · 130: told to stop.
    """
    console = Console()
    try:
        first = points[0][1]
        if first.resume or first.ckpt_path:
            raise ValueError("`resume` and `ckpt_path` are for one run. A sweep goes on by `sweep=<its folder>`.")
        for _, config in points:
            refuse_unknown(config)
        configurations = _by_identity(points)
        slots = [] if first.launch.kind == "slurm" else slots_here(first.launch)
        if first.launch.kind == "slurm":
            slurm.check(first.launch)
        for settings, config in configurations.values():
            _checked(settings, config)
        if first.get("dry_run"):
            return _printed(console, configurations, first.launch, len(slots))
        sweep = SweepFolder(folder)
        _refuse_what_is_no_sweep(sweep)
        with sweep.controlled():
            wanted = _joined(sweep, configurations, first.mixed)
            left = _left(console, sweep, wanted)
            if first.launch.kind == "slurm":
                going_on = _queue(console, sweep, left, first.launch)
            else:
                going_on = Batch(sweep, left, slots, lambda point, words: _say(console, sweep, point, words)).run()
            return _concluded(console, sweep, wanted, going_on, first.pictures)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    finally:
        forget(folder)


def forget(folder: str | None) -> None:
    """Remove what Hydra has made already of a sweep that was refused."""
    if folder and not SweepFolder(folder).file.exists():
        with suppress(OSError):
            for name in MADE_FIRST:
                (Path(folder) / name).unlink(missing_ok=True)
            Path(folder).rmdir()


def _refuse_what_is_no_sweep(sweep: SweepFolder) -> None:
    others = {file.name for file in sweep.path.iterdir()} - {*MADE_FIRST} if sweep.path.is_dir() else set()
    if others and not sweep.file.exists():
        raise ValueError(
            f"`sweep` must be the folder of a sweep, with a sweep.json, or a new one. {sweep.path} holds other things."
        )


def _by_identity(points: Sequence[tuple[list[str], DictConfig]]) -> Configurations:
    """What was asked for by hash, with the settings that set each point apart."""
    common = set.intersection(*(set(overrides) for overrides, _ in points)) if len(points) > 1 else set()
    found: Configurations = {}
    for overrides, config in points:
        config.folder = NOWHERE
        typed = dict(override.lstrip("+").split("=", 1) for override in overrides if override not in common)
        settings = {name: _value(config, name, text) for name, text in typed.items() if name not in PLACES}
        found[identity(config)] = settings, config
    return found


def _value(config: DictConfig, name: str, typed: str) -> Any:
    """The value of a setting, or of a group what was typed: `experiment=quick`."""
    value = OmegaConf.select(config, name, default=typed)
    return value if isinstance(value, int | float | str | bool) else typed


def _checked(settings: dict[str, Any], config: DictConfig) -> Experiment:
    """The point, put together; `ValueError` for one that cannot be, before anything is started."""
    try:
        with quiet():  # loggers open files, or a connection, as soon as they are made
            return assemble(OmegaConf.merge(config, {"logger": None}))  # type: ignore[arg-type]
    except (ValueError, InstantiationException) as error:
        cause = error.__cause__ if isinstance(error, InstantiationException) and error.__cause__ else error
        raise ValueError(f"{cause} In the point {as_typed(settings)}.") from None


def _printed(console: Console, configurations: Configurations, launch: DictConfig, slots: int) -> int:
    """What would run, with the time of all steps on this machine, one point at a time, and the disk it takes."""
    total, disk = 0.0, 0
    for settings, config in configurations.values():
        experiment = _checked(settings, config)
        seconds, size = estimate.seconds(experiment), estimate.disk(experiment)
        total, disk = total + seconds, disk + size
        _print(
            console,
            f"{as_typed(settings)}  {config.trainer.max_steps:,} steps, {seconds:,.0f} s, {size / 1e6:,.0f} MB",
        )
    jobs = -(-len(configurations) // launch.points_per_job) if launch.kind == "slurm" else 0
    where = f"in {jobs} jobs" if jobs else f"{slots} at once"
    _print(
        console,
        f"{len(configurations)} points, {where}: at most {total / 3600:.1f} h on this machine, one after another (a run"
        f" that comes to rest ends sooner), {disk / 1e9:.1f} GB. Nothing was started.",
    )
    return 0


def _joined(folder: SweepFolder, configurations: Configurations, mixed: bool) -> list[Point]:
    """The points asked for, old and new, as sweep.json now lists them.

    `ValueError` where the folder holds a sweep of another base configuration or code, unless told to mix them.
    """
    sweep = folder.read() if folder.file.exists() else Sweep()
    for point in sweep.points:
        point.status, point.reason = folder.outcome(point)
    _refuse_busy(sweep)
    shared, code = base([config for _, config in configurations.values()]), present_code()
    if sweep.points and not mixed:
        _refuse_another(folder, sweep, shared, code.hash)
    there = sweep.base if sweep.points else shared
    sweep.base = {name: value for name, value in there.items() if shared.get(name, value) == value}
    for _, config in configurations.values():  # W&B shows the points of a sweep together
        if "wandb" in (config.logger or {}) and config.logger.wandb.group == config.task_name:
            config.logger.wandb.group = folder.path.name
    added(folder, sweep, configurations)
    sweep.codes = [*(known for known in sweep.codes if known.hash != code.hash), code]
    freeze(code, folder.path / "code" / code.hash)
    for point in sweep.points:
        if point.configuration in configurations and point.status != "finished":
            point.code = code.hash
    folder.write(sweep)
    by_hash = {point.configuration: point for point in sweep.points}
    return [by_hash[configuration] for configuration in configurations]


def _refuse_busy(sweep: Sweep) -> None:
    still = slurm.queued(sweep.jobs)
    if still or (still is None and any(point.status == "running" for point in sweep.points)):
        raise ValueError(
            "`sweep` must be a folder that nobody works on. SLURM still has jobs of it:"
            f" {' '.join(still or sweep.jobs)}; wait for them, or end them by scancel."
        )


def _refuse_another(folder: SweepFolder, sweep: Sweep, shared: dict[str, Any], code: str) -> None:
    differing = differences(sweep.base, shared)
    if sweep.codes[-1].hash != code:
        files = differing_files(folder.path / "code" / sweep.codes[-1].hash)
        differing += files[:NAMED] + ([f"and {len(files) - NAMED} files more"] if len(files) > NAMED else [])
    if differing:
        raise ValueError(
            f"`sweep` must go on with the base configuration and code of {folder.path}. These differ:"
            f" {', '.join(differing)}. `mixed=true` goes on, and runs what is not finished by what is here now."
        )


def _left(console: Console, sweep: SweepFolder, wanted: list[Point]) -> list[Point]:
    left = [point for point in wanted if point.status != "finished"]
    _print(
        console,
        f"{len(wanted)} points in {sweep.path}: {len(wanted) - len(left)} finished, {len(left)} to run",
    )
    return left


def _say(console: Console, folder: SweepFolder, point: Point, words: str) -> None:
    """Print what happened to a point, and have sweep.json tell of it."""
    _print(console, f"{point}  {words}")
    folder.write(replace(folder.read(), points=folder.points()))


def _queue(console: Console, folder: SweepFolder, left: list[Point], launch: DictConfig) -> bool:
    """Hand the points to SLURM and follow them; False where this command does not see them end."""
    if not left:
        return True
    jobs = slurm.submitted(folder, left, launch)
    folder.write(replace(folder.read(), jobs=jobs))
    array = jobs[0].partition("_")[0]
    _print(
        console, f"submitted as SLURM job {array}, {len(jobs)} batches; what they print is in {folder.path / 'slurm'}"
    )
    try:
        while launch.wait:
            still = slurm.queued(jobs)
            for point in folder.points():
                before = next((known for known in left if known.number == point.number), None)
                if before and (before.status, before.reason) != (point.status, point.reason):
                    before.status, before.reason = point.status, point.reason
                    words = "running" if point.status == "running" else ending(folder, point)
                    _say(console, folder, point, words)
            if still == []:
                return True
            time.sleep(POLL)
    except KeyboardInterrupt:
        pass
    _print(
        console,
        f"the jobs go on: `python -m grok.status {folder.path}` shows how far they are, `scancel {array}` ends them",
    )
    return False


def _concluded(console: Console, folder: SweepFolder, wanted: list[Point], going_on: bool, pictures: bool) -> int:
    """Say what came of the points, and collect them; the exit status."""
    sweep = replace(folder.read(), points=folder.points())
    folder.write(sweep)
    points = [sweep.points[point.number] for point in wanted]
    counts = Counter(point.status for point in points)
    for point in points:
        if point.status == "pending" and going_on:  # a job of SLURM's ended before it came to the point
            _print(console, f"{point}  was not started; see {folder.path / 'slurm'}")
        elif point.status not in ("finished", "pending", "running"):
            _print(console, f"{point}  {point.status}: {point.reason or f'see {folder.output_file(point)}'}")
    finished = counts["finished"] == len(points)
    again = "" if finished else f"; the same command with sweep={folder.path} goes on"
    _print(console, f"{counts['finished']} of {len(points)} points finished{again}")
    if not going_on:
        return 0 if sweep.jobs else 130
    table = sweep_table(folder.path)
    files = write_results(folder.path, table, axes(swept(table)) if pictures else None)
    _print(console, f"one table of all runs: {files[0]}" + (", with pictures beside it" if pictures else ""))
    return 0 if finished else FAILED if counts["finished"] else 1


def _print(console: Console, words: str) -> None:
    console.print(words, highlight=False, soft_wrap=True)
