"""One table of a sweep's runs, runs.csv, and pictures of it.

usage: grok collect [folder] [x=…] [y=…] [colour=…] [pictures=true|false]

A run that did not get to an event within its N steps is censored at N: it says
"> N", later than N, not "never". Medians over seeds take it for that (Kaplan
and Meier); no number is made up for it.

folder            of a sweep; latest or nothing: the sweep that was measured
                  last
x=<setting>       what pictures are drawn over: a setting that the sweep
y=<setting>       varies, by its full or short name, such as optim.wd or wd;
colour=<setting>  by default the first that vary, and the last
pictures=false    the table alone
figures.style.formats=[png,pdf]
                  PDFs too; this and the three below are by default as the
                  runs'
figures.style.font=sans
                  or serif
figures.style.size=8
                  of text, in points
figures.style.width=column
                  or two_columns, or a number of centimetres

grok collect
grok collect logs/train/2026-01-31_12-00-00_sweep x=train_fraction y=wd
"""

import sys
from collections.abc import Sequence
from typing import Any

from rich.console import Console

from grok.runs.named import folder_named, is_sweep
from grok.settings.commands import run, settings
from grok.settings.figure_style import TYPED, figure_style
from grok.settings.pasting import command, from_here, next_commands
from grok.sweep.overview import printed_table
from grok.sweep.results import write_results
from grok.sweep.table import a_configuration, axes, sweep_table, swept

KNOWN: dict[str, Any] = {"x": None, "y": None, "colour": None, "pictures": True, **TYPED}


def collect(arguments: Sequence[str]) -> None:
    """Write runs.csv and the pictures of a sweep, and print the table."""
    folder, told = settings(arguments, KNOWN)
    pictures = told.pop("pictures")
    if not isinstance(pictures, bool):
        raise ValueError(f"`pictures` must be true or false. Got {pictures}.")
    path = folder_named(folder, runs=False)
    if not is_sweep(path):
        way_out = f"`{command('status', from_here(path))}` lists runs that were started one by one"
        raise ValueError(f"The folder must be that of a sweep, with a sweep.json. {path} has none; {way_out}.")
    typed = {name: told.pop(name) for name in TYPED}
    figure_style(typed=typed)
    table = sweep_table(path)
    pictured = axes(swept(table), **told)
    files = write_results(path, table, pictured if pictures else None, figure_style(a_configuration(path), typed))
    console = Console(width=None if sys.stdout.isatty() else 160)
    console.print(printed_table(table, swept(table)))
    for file in files:
        console.print(f"wrote {file}", highlight=False, markup=False, soft_wrap=True)
    here = from_here(path)
    print(next_commands(command("report", here), command("analyze", here)))


def main() -> None:
    """The command."""
    run(collect, __doc__)


if __name__ == "__main__":
    main()
