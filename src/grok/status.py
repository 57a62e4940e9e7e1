"""How far runs are, from their folders alone.

usage: grok status [folder] [live=true|false] [all=true]

folder        of a run, of a sweep, or of several of them; latest or nothing:
              the one that was measured or begun last
live=true     follow them until Ctrl-C: what a terminal gets
live=false    print them once
all=true      every run, where there are more than 60

grok status
grok status logs/train live=false
"""

import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live

from grok.runs.named import folder_named
from grok.runs.trust import has_own_parts
from grok.settings.commands import run, settings
from grok.settings.pasting import command, from_here, next_commands, resume_command
from grok.sweep.run_status import runs, status_table

REFRESH = 2.0  # seconds, at least
SPARING = 10  # times as long it waits as a look took
KNOWN: dict[str, Any] = {"live": None, "all": False}


def status(arguments: Sequence[str]) -> None:
    """Print the table; on a terminal keep it up to date until Ctrl-C."""
    typed, told = settings(arguments, KNOWN)
    live = sys.stdout.isatty() if told["live"] is None else told["live"]
    for name, value in {"live": live, "all": told["all"]}.items():
        if not isinstance(value, bool):
            raise ValueError(f"`{name}` must be true or false. Got {value}.")
    path = folder_named(typed)
    console = Console(width=None if sys.stdout.isatty() else 160)
    if not live:
        console.print(status_table(path, told["all"]))
    else:
        with suppress(KeyboardInterrupt), Live(console=console, auto_refresh=False) as shown:
            while True:
                began = time.monotonic()
                shown.update(status_table(path, told["all"]), refresh=True)
                time.sleep(max(REFRESH, SPARING * (time.monotonic() - began)))
    print(next_commands(*_following(path)))


def _following(path: Path) -> list[str]:
    """What goes on with a run that does not by itself, and a page of it all."""
    stopped = [run.folder.path for run in runs(path) if run.status in ("interrupted", "lost", "concluding")]
    lone = [resume_command(path, has_own_parts(path))] if stopped == [path] else []
    return [*lone, command("report", from_here(path))]


def main() -> None:
    """The command."""
    run(status, __doc__)


if __name__ == "__main__":
    main()
