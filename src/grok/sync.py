"""Send offline runs to W&B: `python -m grok.sync <run or sweep folder> [project=…] [entity=…]`.

Each run becomes one W&B run, of the id it has had from the start, with every measurement once, whether it went on
from a kill or not. Repeated, the command sends what is new. Project and entity are those of the run's configuration.
"""

from collections.abc import Sequence

from rich.console import Console

from grok.settings.commands import folder_and_settings, run
from grok.settings.quiet import quiet
from grok.sweep.sending import send_runs


def sync(arguments: Sequence[str]) -> None:
    """Send, and say of each run what became of it."""
    usage = "sync <run or sweep folder> [project=…] [entity=…]"
    path, settings = folder_and_settings(usage, arguments, {"project": "", "entity": ""})
    console = Console()
    with quiet():
        outcomes = send_runs(path, console, str(settings["project"]), str(settings["entity"]))
    total = f"{outcomes['sent']} of {outcomes.total()} runs sent" if outcomes["sent"] else "nothing to send"
    console.print(total, highlight=False)


def main() -> None:
    """The command. Exit status 0: sent, or nothing to send · 2: refused, in one sentence · 130: stopped."""
    run(sync, __doc__, "stopped; the same command sends the rest")


if __name__ == "__main__":
    main()
