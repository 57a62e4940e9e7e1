"""Send runs that were logged offline to W&B.

usage: grok sync [folder] [project=…] [entity=…]

Each run becomes one W&B run, of the id it has had from the start, with every
measurement once, whether it went on from a kill or not. Repeated, the command
sends what is new.

folder            of a run, of a sweep, or of several of them; latest or
                  nothing: the one that was measured last
project=<name>    W&B project; by default that of the run's configuration
entity=<name>     whose it is; by default that of the run's configuration

grok sync
grok sync logs/train project=grokking entity=me
"""

from collections.abc import Sequence
from typing import Any

from rich.console import Console

from grok.runs.named import folder_named
from grok.settings.commands import run, settings
from grok.settings.pasting import command, from_here, next_commands
from grok.settings.quiet import quiet
from grok.sweep.sending import send_runs

KNOWN: dict[str, Any] = {"project": "", "entity": ""}


def sync(arguments: Sequence[str]) -> None:
    """Send, and say of each run what became of it."""
    typed, told = settings(arguments, KNOWN)
    path = folder_named(typed, measured=True)
    console = Console()
    with quiet():
        outcomes = send_runs(path, console, str(told["project"]), str(told["entity"]))
    total = f"{outcomes['sent']} of {outcomes.total()} runs sent" if outcomes["sent"] else "nothing to send"
    console.print(total, highlight=False)
    print(next_commands(command("report", from_here(path))))


def main() -> None:
    """The command. Exit status 0: sent, or nothing to send · 2: refused, in one sentence · 130: stopped."""
    run(sync, __doc__, "stopped; the same command sends the rest")


if __name__ == "__main__":
    main()
