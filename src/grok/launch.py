"""A sweep from its points to its end: what is left to do, on which slots, and what came of it."""

import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from hydra.errors import InstantiationException
from omegaconf import DictConfig, ListConfig, OmegaConf
from rich.console import Console

from grok import pool
from grok.checks import whole
from grok.console import quiet
from grok.experiment import Experiment, assembled
from grok.lit import Questions
from grok.machine import keep_memory
from grok.pool import Slot, Task
from grok.sweep import NOWHERE, Point, SweepFolder, identity

FAILED = 3  # exit status: some points did not finish
STARTUP_SECONDS = 6  # of a point's process, before its first step


def launched(points: Sequence[tuple[list[str], DictConfig]], folder: str) -> int:
    """Run what is left of the points in the sweep's folder; the exit status.

    0: all finished · 1: none did · 2: refused, in one sentence · 3: some did not · 130: told to stop.
    """
    console = Console()
    try:
        common = set.intersection(*(set(settings) for settings, _ in points)) if len(points) > 1 else set()
        configurations: dict[str, tuple[list[str], DictConfig]] = {}
        for settings, config in points:
            config.folder = NOWHERE
            swept = [setting for setting in settings if setting not in common]
            configurations[identity(config)] = swept, config
        first = points[0][1]
        if first.resume or first.ckpt_path:
            raise ValueError("`resume` and `ckpt_path` are for one run. A sweep goes on by `sweep=<its folder>`.")
        slots = slots_of(first.launch)
        for settings, config in configurations.values():
            _checked(settings, config)
        if first.get("dry_run"):
            return _printed(console, configurations, slots)
        sweep = SweepFolder(folder)
        with sweep.controlled():
            return _run(console, sweep, sweep.add(configurations), slots)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    finally:
        if not SweepFolder(folder).file.exists():  # Hydra has made the folder already
            with suppress(OSError):
                (Path(folder) / "multirun.yaml").unlink()
                Path(folder).rmdir()


def _checked(settings: list[str], config: DictConfig) -> Experiment:
    """The point, put together; `ValueError` for one that cannot be, before anything is started."""
    try:
        with quiet():  # loggers open files, or a connection, as soon as they are made
            return assembled(OmegaConf.merge(config, {"logger": None}))  # type: ignore[arg-type]
    except (ValueError, InstantiationException) as error:
        cause = error.__cause__ if isinstance(error, InstantiationException) and error.__cause__ else error
        raise ValueError(f"{cause} In the point {' '.join(settings)}.") from None


def slots_of(launch: DictConfig) -> list[Slot]:
    """Room for points on this machine, as a `launch` group says. `ValueError` for what it does not have."""
    cores = torch.get_num_threads()
    if launch.kind == "serial":
        return [Slot(None, cores)]
    whole("launch.jobs_per_gpu", launch.jobs_per_gpu, 1)
    gpus = _gpus(launch.gpus)
    if gpus:
        threads = max(1, cores // (len(gpus) * launch.jobs_per_gpu))
        return [Slot(gpu, threads) for _ in range(launch.jobs_per_gpu) for gpu in gpus]
    count = cores if launch.cpu_slots is None else launch.cpu_slots
    whole("launch.cpu_slots", count, 1)
    return [Slot(None, max(1, cores // count))] * count


def _gpus(told: Any) -> list[str]:
    """The GPUs to use, as CUDA_VISIBLE_DEVICES names them; told are numbers among those that are visible here."""
    there = [str(i) for i in range(torch.cuda.device_count())]
    names = os.environ.get("CUDA_VISIBLE_DEVICES", ",".join(there)).split(",")
    if told == "auto":
        return names[: len(there)]
    if not isinstance(told, ListConfig):
        raise ValueError(f"`launch.gpus` must be auto or a list such as [0,1]. Got {told!r}.")
    missing = [str(gpu) for gpu in told if str(gpu) not in there]
    if missing:
        raise ValueError(f"`launch.gpus` must name GPUs of this machine, which has {len(there)}. Got {list(told)}.")
    return [names[int(gpu)] for gpu in told]


def _printed(console: Console, configurations: dict[str, tuple[list[str], DictConfig]], slots: list[Slot]) -> int:
    """What would run, with the time of all steps on this machine, one point at a time, and the disk it takes."""
    total, disk = 0.0, 0
    for settings, config in configurations.values():
        experiment = _checked(settings, config)
        seconds = STARTUP_SECONDS + config.trainer.max_steps * _seconds_per_step(experiment)
        size = _bytes(experiment)
        total, disk = total + seconds, disk + size
        console.print(
            f"{' '.join(settings)}  {config.trainer.max_steps:,} steps, {seconds:,.0f} s, {size / 1e6:,.0f} MB",
            highlight=False,
            soft_wrap=True,
        )
    console.print(
        f"{len(configurations)} points, {len(slots)} at once: at most {total / 3600:.1f} h one after another (a run"
        f" that comes to rest ends sooner), {disk / 1e9:.1f} GB. Nothing was started.",
        highlight=False,
        soft_wrap=True,
    )
    return 0


def _seconds_per_step(experiment: Experiment) -> float:
    keep_memory()
    device = experiment.trainer.strategy.root_device
    module = experiment.module.to(device)
    batch = Questions(*(x.to(device) for x in experiment.data.training))
    optimizer, gradients = module.configure_optimizers(), module.gradients(batch)
    for n in (5, 5):  # the first ones warm up
        begin = time.perf_counter()
        for _ in range(n):
            loss = optimizer.step(gradients)
        float(loss)  # waits for a GPU
    return (time.perf_counter() - begin) / n


def _bytes(experiment: Experiment) -> int:
    """Snapshots of 4 bytes a parameter, two checkpoints of 12, and about a kB a measurement."""
    parameters = sum(w.numel() for w in experiment.module.network.parameters())
    schedule, keep = experiment.module.schedule, experiment.config.snapshots.keep
    measurements = (schedule.early_until // schedule.early_every) + schedule.max_steps // schedule.every
    kept = measurements if keep == "all" else min(measurements, keep)
    return parameters * (4 * kept + 24) + 1500 * measurements


def _run(console: Console, sweep: SweepFolder, points: list[Point], slots: list[Slot]) -> int:
    every = sweep.points()
    for point in every:
        point.status = _status(sweep, point)
    points = [every[point.number] for point in points]
    left = [point for point in points if point.status != "finished"]
    tasks = {sweep.output_file(point): point for point in left}

    def say(point: Point, words: str) -> None:
        console.print(f"{point.number:03d}  {' '.join(point.settings)}  {words}", highlight=False, soft_wrap=True)

    def note(point: Point, status: str, reason: str | None = None) -> None:
        point.status, point.reason = status, reason
        sweep.write(every)

    def started(task: Task, slot: Slot) -> None:
        note(tasks[task.output], "running")
        say(tasks[task.output], "started" + (f" on GPU {slot.gpu}" if slot.gpu is not None else ""))

    def ended(task: Task, code: int) -> None:
        point = tasks[task.output]
        status = _status(sweep, point) if code >= 0 else "interrupted"
        if code > 0 and status in ("pending", "running", "finished"):
            status = "failed"
        reason = _last_line(task.output) if status == "failed" else f"signal {-code}" if code < 0 else None
        note(point, status, reason)
        summary = sweep.run_folder(point).summary()
        say(point, f"{summary.get('regime')} after {summary.get('steps'):,} steps" if status == "finished" else status)

    console.print(
        f"{len(points)} points in {sweep.path}: {len(points) - len(left)} finished, {len(left)} to run,"
        f" {len(slots)} at once",
        highlight=False,
        soft_wrap=True,
    )
    todo = [
        Task([sys.executable, "-m", "grok.point", str(sweep.config_file(point))], sweep.output_file(point))
        for point in left
    ]
    whole_sweep = pool.run(todo, slots, started, ended)
    counts = Counter(point.status for point in points)
    for point in points:
        if point.status not in ("finished", "pending"):
            say(point, f"{point.status}: {point.reason or f'see {sweep.output_file(point)}'}")
    again = "" if counts["finished"] == len(points) else f"; the same command with sweep={sweep.path} goes on"
    console.print(f"{counts['finished']} of {len(points)} points finished{again}", highlight=False, soft_wrap=True)
    if not whole_sweep:
        return 130
    return 0 if counts["finished"] == len(points) else FAILED if counts["finished"] else 1


def _status(sweep: SweepFolder, point: Point) -> str:
    """What the run's own summary says; "running" in it is what a killed run leaves behind."""
    status = str(sweep.run_folder(point).summary().get("status", "pending"))
    return "interrupted" if status == "running" else status


def _last_line(file: Path) -> str | None:
    lines = [line for line in file.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1].strip() if lines else None
