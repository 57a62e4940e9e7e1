"""How far runs are: `python -m grok.status <run or sweep folder> [live=false]`, from the folders alone."""

import sys
import time
from collections.abc import Sequence
from contextlib import suppress

from rich.console import Console
from rich.live import Live

from grok.settings.commands import folder_and_settings, run
from grok.sweep.run_status import table

REFRESH = 2.0  # seconds


def status(arguments: Sequence[str]) -> None:
    """Print the table; on a terminal keep it up to date until Ctrl-C."""
    usage = "status <run or sweep folder> [live=true|false]"
    path, told = folder_and_settings(usage, arguments, {"live": sys.stdout.isatty()})
    if not isinstance(told["live"], bool):
        raise ValueError(f"`live` must be true or false. Got {told['live']}.")
    console = Console(width=None if sys.stdout.isatty() else 160)
    if not told["live"]:
        console.print(table(path))
        return
    with suppress(KeyboardInterrupt), Live(table(path), console=console, auto_refresh=False) as live:
        while True:
            time.sleep(REFRESH)
            live.update(table(path), refresh=True)


def main() -> None:
    """The command."""
    run(status, __doc__)


if __name__ == "__main__":
    main()
