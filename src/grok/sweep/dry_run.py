"""What a sweep would run, and what it would take: nothing is started."""

from collections.abc import Collection, Sequence
from typing import Any

from omegaconf import DictConfig

from grok.sweep import estimate
from grok.sweep.estimate import Cost, Shape
from grok.sweep.identity import as_typed
from grok.sweep.pool import Slot
from grok.sweep.report import Report, duration
from grok.sweep.requested import RequestedPoint

MOST_NAMED = 6  # points of a shape, one by one


def print_plan(report: Report, points: Collection[RequestedPoint], launch: DictConfig, slots: Sequence[Slot]) -> None:
    """Print each shape of points with the time and the disk that it takes on this machine, and their sum."""
    found = estimate.shapes(points)
    threads = slots[0].threads if slots else launch.cpus
    with report.working("timing steps") as working:
        timed = estimate.measure(found, threads, lambda n: working(f"timing steps: shape {n + 1} of {len(found)}"))
    costs = estimate.costs(found)
    for shape, of_points in zip(found, costs, strict=True):
        report.print(f"{_name(shape, found)}{_words(shape, of_points)}")
        for point in shape.points if len(shape.points) <= MOST_NAMED else [shape.points[0], shape.points[-1]]:
            report.print(f"  {as_typed(point.settings)}")
            if point is not shape.points[-1] and len(shape.points) > MOST_NAMED:
                report.print(f"  … {len(shape.points) - 2:,} more")
    every = [cost for of_points in costs for cost in of_points]
    total, disk, at_once = sum(x.seconds for x in every), sum(x.disk for x in every), max(1, len(slots))
    if launch.kind == "slurm":
        where = f"in {-(-len(points) // launch.points_per_job)} jobs: at most {duration(total)} of this machine"
    else:
        longest = max(x.seconds for x in every)
        where = f"{at_once} at once: at most {duration(max(longest, total / at_once))}"
    report.print(f"{len(points):,} points, {where}, {size(disk)} of disk. Nothing was started.")
    rest = len(found) - timed
    which = f"{timed} of {len(found)} shapes" if rest else "each shape"
    report.print(
        f"That rests on {estimate.TIMED} steps of {which}, timed here just now, alone"
        f"{', the others by pairs times parameters' if rest else ''}; on"
        f" {estimate.MEASUREMENT_STEPS:g} steps a measurement and {estimate.STARTUP_SECONDS:g} s to start a point."
        " A run whose weight norm converges ends sooner; points at once slow each other down."
    )


def _name(shape: Shape, found: Collection[Shape]) -> str:
    """What all points of a shape share of what they are named by."""
    if len(found) == 1:
        return ""
    first = shape.points[0].settings
    shared: dict[str, Any] = {
        name: value for name, value in first.items() if all(point.settings.get(name) == value for point in shape.points)
    }
    return f"{as_typed(shared)}: " if shared else ""


def _words(shape: Shape, costs: Sequence[Cost]) -> str:
    steps = [int(point.plain["trainer"]["max_steps"]) for point in shape.points]
    return (
        f"{len(costs):,} {'point' if len(costs) == 1 else 'points'}, {spread(steps, lambda n: f'{n:,}')} steps of"
        f" {spread([x.step_seconds for x in costs], lambda x: f'{1e3 * x:.2g} ms')}:"
        f" {spread([x.seconds for x in costs], duration)} and {spread([x.disk for x in costs], size)} each"
    )


def spread(values: Sequence[float], words: Any) -> str:
    """The least and the largest in words; once where they read alike."""
    least, most = words(min(values)), words(max(values))
    return str(least) if least == most else f"{least} to {most}"


def size(count: float) -> str:
    """Bytes in MB or GB."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{max(count / 1e6, 0.1):.{0 if count >= 1e7 else 1}f} MB"
