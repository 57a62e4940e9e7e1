"""Points handed to SLURM, and followed from here until their jobs have ended."""

import time
from collections.abc import Sequence
from dataclasses import replace

from omegaconf import DictConfig

from grok.sweep import slurm
from grok.sweep.batch import ending
from grok.sweep.folder import Point, SweepFolder
from grok.sweep.report import Report

POLL = 2.0  # seconds between looks at SLURM's queue, at least
MOST_OF_A_CORE = 50  # times as long it waits as a look at the points took: 2 % of a core


def run_on_slurm(folder: SweepFolder, points: Sequence[Point], launch: DictConfig, report: Report) -> bool:
    """Submit the points and follow them; False where this command does not see them end."""
    if not points:
        return True
    jobs = slurm.submit(folder, points, launch)
    folder.write(replace(folder.read(), jobs=jobs))
    array = jobs[0].partition("_")[0]
    output = folder.path / "slurm"
    report.print(f"submitted as SLURM job {array}, {len(jobs)} batches; what they print is in {output}")
    try:
        if launch.wait:
            with report.following(points, len(jobs) * max(1, launch.gpus) * launch.jobs_per_gpu):
                _follow(folder, points, jobs, report)
            return True
    except KeyboardInterrupt:
        pass
    status = f"`python -m grok.status {folder.path}` shows how far they are"
    report.print(f"the jobs go on: {status}, `scancel {array}` ends them")
    return False


def _follow(folder: SweepFolder, points: Sequence[Point], jobs: Sequence[str], report: Report) -> None:
    """Report what happens to the points until no job is left."""
    known = {point.number: (point.status, point.reason) for point in points}
    reported = set()
    while True:
        remaining = slurm.queued_jobs(jobs)  # before the points are read, so that none ends unseen
        began = time.monotonic()
        for point in points:
            if known[point.number][0] == "finished":
                continue
            state = point.status, point.reason = folder.outcome(point)
            if known[point.number] != state:
                _say(folder, point, report)
                known[point.number] = state
                reported.add(point.number)
        if remaining == []:
            break
        report.wait()
        time.sleep(max(POLL, MOST_OF_A_CORE * (time.monotonic() - began)))
    for point in points:
        if point.number not in reported:  # failed as the last time, or its job ended before it came to it
            point.status, point.reason = folder.outcome(point)
            pending = f"was not started; see {folder.path / 'slurm'}"
            report.ended(point, pending if point.status == "pending" else ending(folder, point))


def _say(folder: SweepFolder, point: Point, report: Report) -> None:
    if point.status == "running":
        report.began(point)
    else:
        report.ended(point, ending(folder, point))
