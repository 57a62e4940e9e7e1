"""The end of a sweep's command: what became of its points, in one sentence, one table and one exit status."""

from collections.abc import Sequence
from dataclasses import replace

from grok.sweep.folder import Point, SweepFolder
from grok.sweep.report import Report
from grok.sweep.results import write_results
from grok.sweep.table import axes, sweep_table, swept

NONE_FINISHED, SOME_FINISHED, STOPPED = 1, 3, 130  # exit statuses


def conclude(folder: SweepFolder, requested: Sequence[Point], ended: bool, pictures: bool, report: Report) -> int:
    """Say how many of the requested points are finished, and collect the sweep; the exit status.

    Args:
        ended: False where the points were told to stop, or go on without this command.
    """
    sweep = replace(folder.read(), points=folder.points())
    folder.write(sweep)
    finished = sum(sweep.points[point.number].status == "finished" for point in requested)
    complete = finished == len(requested)
    again = "" if complete else f"; the same command with sweep={folder.path} goes on"
    report.print(f"{finished} of {len(requested)} points finished{again}")
    if not ended:
        return 0 if sweep.jobs else STOPPED
    table = sweep_table(folder.path)
    files = write_results(folder.path, table, axes(swept(table)) if pictures else None)
    report.print(f"one table of all runs: {files[0]}" + (", with pictures beside it" if pictures else ""))
    return 0 if complete else SOME_FINISHED if finished else NONE_FINISHED
