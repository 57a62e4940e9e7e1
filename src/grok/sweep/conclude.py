"""The end of a sweep's command: what became of its points, in one sentence, one table and one exit status."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from grok.settings.figure_style import FigureStyle
from grok.settings.pasting import command, from_here, hydra_setting, next_commands
from grok.sweep.folder import Point, SweepFolder
from grok.sweep.report import Report
from grok.sweep.results import write_results
from grok.sweep.table import axes, sweep_table, swept

NONE_FINISHED, SOME_FINISHED, STOPPED = 1, 3, 130  # exit statuses


def conclude(
    folder: SweepFolder, requested: Sequence[Point], ended: bool, pictures: FigureStyle | None, report: Report
) -> int:
    """Say how many of the requested points are finished, and collect the sweep; the exit status.

    Args:
        ended: False where the points were told to stop, or go on without this command.
        pictures: their style; None: draw none.
    """
    sweep = replace(folder.read(), points=folder.points())
    folder.write(sweep)
    finished = sum(sweep.points[point.number].status == "finished" for point in requested)
    complete = finished == len(requested)
    everywhere = sum(point.status == "finished" for point in sweep.points)
    of_all = (
        "" if len(requested) == len(sweep.points) else f"; of all in the sweep, {everywhere} of {len(sweep.points)}"
    )
    report.print(f"{finished} of {len(requested)} points finished{of_all}")
    if not complete:
        report.print(next_commands(same_command(folder.path), words="to go on"))
    if not ended:
        return 0 if sweep.jobs else STOPPED
    table = sweep_table(folder.path)
    files = write_results(folder.path, table, axes(swept(table)) if pictures else None, pictures or FigureStyle())
    report.print(f"one table of all runs: {files[0]}" + (", with pictures beside it" if pictures else ""))
    here = from_here(folder.path)
    report.print(next_commands(command("report", here), command("analyze", here)))
    return 0 if complete else SOME_FINISHED if finished else NONE_FINISHED


def same_command(path: Path) -> str:
    """The command that was typed, on the sweep's folder."""
    typed = [word for word in sys.argv[1:] if not word.startswith("sweep=")]
    return command("train", *typed, hydra_setting("sweep", from_here(path)))
