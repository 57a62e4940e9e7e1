"""What a sweep would run, and what it would take: nothing is started."""

from collections.abc import Collection

from omegaconf import DictConfig

from grok.sweep import estimate
from grok.sweep.identity import as_typed
from grok.sweep.report import Report
from grok.sweep.requested import RequestedPoint


def print_plan(report: Report, points: Collection[RequestedPoint], launch: DictConfig, slots: int) -> None:
    """Print each point with the time of all its steps on this machine, alone, and the disk it takes; and their sum."""
    total, disk = 0.0, 0
    for point in points:
        experiment = point.experiment()
        seconds, size = estimate.seconds(experiment), estimate.disk(experiment)
        total, disk = total + seconds, disk + size
        steps = f"{point.config.trainer.max_steps:,} steps"
        report.print(f"{as_typed(point.settings)}  {steps}, {seconds:,.0f} s, {size / 1e6:,.0f} MB")
    slurm = launch.kind == "slurm"
    where = f"in {-(-len(points) // launch.points_per_job)} jobs" if slurm else f"{slots} at once"
    report.print(
        f"{len(points)} points, {where}: at most {total / 3600:.1f} h on this machine, one after another (a run"
        f" whose weight norm converges ends sooner), {disk / 1e9:.1f} GB. Nothing was started."
    )
