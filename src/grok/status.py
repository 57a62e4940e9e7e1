"""How far runs are, from their folders alone.

usage: grok status [folder] [live=true|false]

folder        of a run, of a sweep, or of several of them; latest or nothing:
              the one that was measured or begun last
live=true     follow them until Ctrl-C: what a terminal gets
live=false    print them once

grok status
grok status logs/train live=false
"""

import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from rich.console import Console
from rich.live import Live

from grok.runs.named import folder_named
from grok.runs.trust import has_own_parts
from grok.settings.commands import run, settings
from grok.settings.pasting import command, from_here, next_commands, resume_command
from grok.sweep.run_status import runs, status_table

REFRESH = 2.0  # seconds
KNOWN = {"live": None}


def status(arguments: Sequence[str]) -> None:
    """Print the table; on a terminal keep it up to date until Ctrl-C."""
    typed, told = settings(arguments, KNOWN)
    if not isinstance(told["live"], bool | None):
        raise ValueError(f"`live` must be true or false. Got {told['live']}.")
    path = folder_named(typed)
    console = Console(width=None if sys.stdout.isatty() else 160)
    if told["live"] is False or (told["live"] is None and not sys.stdout.isatty()):
        console.print(status_table(path))
    else:
        with suppress(KeyboardInterrupt), Live(status_table(path), console=console, auto_refresh=False) as live:
            while True:
                time.sleep(REFRESH)
                live.update(status_table(path), refresh=True)
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
