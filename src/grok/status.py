"""How far runs are: `python -m grok.status <run or sweep folder> [live=false]`, from the folders alone."""

import sys
import time
from collections.abc import Sequence
from contextlib import suppress

from rich.console import Console
from rich.live import Live

from grok.settings.commands import folder_and_settings, run
from grok.sweep.run_status import status_table

REFRESH = 2.0  # seconds


def status(arguments: Sequence[str]) -> None:
    """Print the table; on a terminal keep it up to date until Ctrl-C."""
    usage = "status <run or sweep folder> [live=true|false]"
    path, settings = folder_and_settings(usage, arguments, {"live": sys.stdout.isatty()})
    if not isinstance(settings["live"], bool):
        raise ValueError(f"`live` must be true or false. Got {settings['live']}.")
    console = Console(width=None if sys.stdout.isatty() else 160)
    if not settings["live"]:
        console.print(status_table(path))
        return
    with suppress(KeyboardInterrupt), Live(status_table(path), console=console, auto_refresh=False) as live:
        while True:
            time.sleep(REFRESH)
            live.update(status_table(path), refresh=True)


def main() -> None:
    """The command."""
    run(status, __doc__)


if __name__ == "__main__":
    main()
