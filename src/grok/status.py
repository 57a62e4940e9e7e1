"""How far runs are: `python -m grok.status <run or sweep folder> [live=false] [all=true]`, from the folders alone."""

import sys
import time
from collections.abc import Sequence
from contextlib import suppress

from rich.console import Console
from rich.live import Live

from grok.settings.commands import folder_and_settings, run
from grok.sweep.run_status import status_table

REFRESH = 2.0  # seconds, at least
SPARING = 10  # times as long it waits as a look took


def status(arguments: Sequence[str]) -> None:
    """Print the table; on a terminal keep it up to date until Ctrl-C."""
    usage = "status <run or sweep folder> [live=true|false] [all=true]"
    path, settings = folder_and_settings(usage, arguments, {"live": sys.stdout.isatty(), "all": False})
    for name, value in settings.items():
        if not isinstance(value, bool):
            raise ValueError(f"`{name}` must be true or false. Got {value}.")
    console = Console(width=None if sys.stdout.isatty() else 160)
    if not settings["live"]:
        console.print(status_table(path, settings["all"]))
        return
    with suppress(KeyboardInterrupt), Live(console=console, auto_refresh=False) as live:
        while True:
            began = time.monotonic()
            live.update(status_table(path, settings["all"]), refresh=True)
            time.sleep(max(REFRESH, SPARING * (time.monotonic() - began)))


def main() -> None:
    """The command."""
    run(status, __doc__)


if __name__ == "__main__":
    main()
