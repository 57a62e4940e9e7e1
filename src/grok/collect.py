"""One table of a sweep: `python -m grok.collect <sweep folder> [x=p y=wd colour=wd] [pictures=false]`.

figures.style.formats=[png,pdf] and figures.style.font, .size, .width: the looks of the pictures, if not as the runs'.

A run that did not get to an event within its N steps is *censored at N*: it says "later than N", not "never".
Medians over seeds take it for that (Kaplan and Meier); no number is made up for it.
"""

import sys
from collections.abc import Sequence

from rich.console import Console

from grok.settings.commands import folder_and_settings, run
from grok.settings.figure_style import TYPED, figure_style
from grok.settings.pasting import command, next_commands
from grok.sweep.overview import printed_table
from grok.sweep.results import write_results
from grok.sweep.table import a_configuration, axes, sweep_table, swept


def collect(arguments: Sequence[str]) -> None:
    """Write runs.csv and the pictures of a sweep, and print the table."""
    usage = "collect <sweep folder> [x=…] [y=…] [colour=…] [pictures=false]"
    known = {"x": None, "y": None, "colour": None, "pictures": True, **TYPED}
    path, settings = folder_and_settings(usage, arguments, known)
    pictures = settings.pop("pictures")
    if not isinstance(pictures, bool):
        raise ValueError(f"`pictures` must be true or false. Got {pictures}.")
    typed = {name: settings.pop(name) for name in TYPED}
    figure_style(typed=typed)
    table = sweep_table(path)
    pictured = axes(swept(table), **settings)
    files = write_results(path, table, pictured if pictures else None, figure_style(a_configuration(path), typed))
    console = Console(width=None if sys.stdout.isatty() else 160)
    console.print(printed_table(table, swept(table)))
    for file in files:
        console.print(f"wrote {file}", highlight=False, markup=False, soft_wrap=True)
    print(next_commands(command("report", path), command("analyze", path)))


def main() -> None:
    """The command."""
    run(collect, __doc__)


if __name__ == "__main__":
    main()
