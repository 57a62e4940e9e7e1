"""The points that a command asks for, joined with those that the sweep's folder holds already."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from grok.runs.configuration import at, written
from grok.runs.damage import DamagedFileError, reading
from grok.runs.files import flush, write_text
from grok.settings import places
from grok.sweep import slurm
from grok.sweep.folder import Point, Sweep, SweepFolder
from grok.sweep.frozen_code import differing_files, freeze, present_code
from grok.sweep.identity import base, differing_names
from grok.sweep.requested import RequestedPoint

MADE_FIRST = ("multirun.yaml", ".lock")  # in a sweep's folder, before there is a sweep.json
MOST_NAMED = 5  # files that differ, in a sentence


def join(folder: SweepFolder, requested: Mapping[str, RequestedPoint], allow_changes: bool) -> list[Point]:
    """List the requested points in sweep.json beside those it has; the requested ones, old and new.

    `ValueError` where jobs of the sweep still run, or where its base configuration or code are others than here,
    unless changes are allowed.
    """
    sweep = folder.read() if folder.file.exists() else Sweep()
    for point in sweep.points:
        point.status, point.reason = folder.outcome(point)
    refuse_busy(sweep)
    shared, code = base(point.defining for point in requested.values()), present_code()
    changed = differing_names(sweep.base, shared)
    if sweep.points and not allow_changes:
        _refuse_changes(folder, sweep, shared, changed, code.hash)
    for name in changed:
        for point in sweep.points:
            point.settings.setdefault(name, sweep.base[name])
    there = sweep.base if sweep.points else shared
    sweep.base = {name: value for name, value in there.items() if name not in changed}
    _add_points(folder, sweep, requested)
    _name_points(folder, sweep, requested, changed)
    sweep.codes = [*(known for known in sweep.codes if known.hash != code.hash), code]
    freeze(code, folder.path / "code" / code.hash)
    for point in sweep.points:
        if point.configuration in requested and point.status != "finished":
            point.code = code.hash
    folder.write(sweep)
    by_hash = {point.configuration: point for point in sweep.points}
    return [by_hash[configuration] for configuration in requested]


def refuse_other_folders(folder: SweepFolder) -> None:
    """`ValueError` for a folder that holds something else than a sweep."""
    others = {file.name for file in folder.path.iterdir()} - {*MADE_FIRST} if folder.path.is_dir() else set()
    if others and not folder.file.exists():
        raise ValueError(
            f"`sweep` must be the folder of a sweep, with a sweep.json, or a new one. {folder.path} holds other things."
        )


def refuse_busy(sweep: Sweep) -> None:
    """`ValueError` where SLURM still has jobs of the sweep."""
    jobs = slurm.queued_jobs(sweep.jobs)
    if jobs or (jobs is None and any(point.status == "running" for point in sweep.points)):
        raise ValueError(
            "`sweep` must be a folder that nobody works on. SLURM still has jobs of it:"
            f" {' '.join(jobs or sweep.jobs)}; wait for them, or end them by scancel."
        )


def _refuse_changes(
    folder: SweepFolder, sweep: Sweep, shared: Mapping[str, Any], changed: list[str], code: str
) -> None:
    differing = [f"{name} (there {sweep.base[name]}, here {shared[name]})" for name in changed]
    if sweep.codes[-1].hash != code:
        files = differing_files(folder.path / "code" / sweep.codes[-1].hash)
        differing += files[:MOST_NAMED] + ([f"and {len(files) - MOST_NAMED} files more"] if files[MOST_NAMED:] else [])
    if differing:
        raise ValueError(
            f"`sweep` must go on with the base configuration and code of {folder.path}. These differ:"
            f" {', '.join(differing)}. `allow_changes=true` goes on, and runs what is not finished by what is here now."
        )


def _add_points(folder: SweepFolder, sweep: Sweep, requested: Mapping[str, RequestedPoint]) -> None:
    """Make points, in `sweep` and on disk, of new configurations, and write anew those that cannot be read."""
    known = {point.configuration: point for point in sweep.points}
    for configuration, wanted in requested.items():
        wandb = (wanted.plain["logger"] or {}).get("wandb")
        if wandb and wandb.get("group") == wanted.plain["task_name"]:
            wandb["group"] = folder.path.name  # W&B shows the points of a sweep together
        point = known.get(configuration)
        if point is None:
            number = len(sweep.points)
            name = places.folder_name(wanted.plain["name"])
            point = Point(number, dict(wanted.settings), configuration, f"runs/{number:03d}_{name}")
            sweep.points.append(point)
        elif _config(folder, point) is not None:
            continue
        write_text(folder.config_file(point), written(wanted.plain), durable=False)
    with suppress(OSError):  # a file system whose folders cannot be waited for
        flush(folder.path / "points")


def _name_points(
    folder: SweepFolder, sweep: Sweep, requested: Mapping[str, RequestedPoint], changed: list[str]
) -> None:
    """Have every point named by all settings that differ between points, also between those of several commands."""
    followers = set(next(iter(requested.values())).followers)
    names = dict.fromkeys([*(name for point in sweep.points for name in point.settings), *changed])
    rows = [_values(folder, point, list(names), requested) for point in sweep.points]
    varying = {name for name in names if _differs(row[name] for row in rows if name in row)}
    for point, row in zip(sweep.points, rows, strict=True):
        if varying & row.keys():
            point.settings = {name: value for name, value in row.items() if name in varying - (followers & {*changed})}


def _differs(values: Iterable[Any]) -> bool:
    rest = iter(values)
    first = next(rest, None)
    return any(value != first for value in rest)


def _values(
    folder: SweepFolder, point: Point, names: list[str], requested: Mapping[str, RequestedPoint]
) -> dict[str, Any]:
    if all(name in point.settings for name in names):
        return {name: point.settings[name] for name in names}
    wanted = requested.get(point.configuration)
    config = wanted.plain if wanted else _config(folder, point) or {}
    values = {name: point.settings[name] if name in point.settings else at(config, name) for name in names}
    return {name: value for name, value in values.items() if isinstance(value, int | float | str | bool)}


def _config(folder: SweepFolder, point: Point) -> dict[str, Any] | None:
    """The configuration of a point on disk; None where it cannot be read."""
    try:
        with reading(folder.config_file(point), folder.path):
            return folder.config(point)
    except DamagedFileError:
        return None
