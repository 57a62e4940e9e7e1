"""A page of a run or a sweep, from its folder alone; opens offline.

usage: grok report [folder] [output=…] [pages=all] [wandb=…]

folder                      of a run, of a sweep, or of several of them, each
                            with a page; latest or nothing: the one that was
                            measured last
output=<folder>             where pages go; by default each into its run's or
                            sweep's own folder, as report.html
pages=all                   the page of every run, also of a sweep of more
                            than 100
wandb=<entity>/<project>    a W&B report of the same runs as well

grok report
grok report logs/train/2026-01-31_12-00-00_sweep wandb=me/grok
"""

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from grok.pages.record import Record
from grok.pages.run_page import run_page
from grok.pages.sweep_page import sweep_page
from grok.runs.named import folder_named, folders_in, for_each, is_sweep
from grok.settings.commands import run, settings
from grok.settings.pasting import command, from_here, next_commands

KNOWN: dict[str, Any] = {"wandb": False, "output": None, "pages": None}


def report(path: Path, console: Console, output: Path | None = None, all_pages: bool = False) -> Path:
    """The page of the run or sweep in `path`, made anew. `ValueError` where it is neither."""
    return sweep_page(path, console, output, all_pages) if is_sweep(path) else run_page(Record.of(path), output=output)


def entity_and_project(typed: str) -> tuple[str, str]:
    """Whose W&B project, as typed. `ValueError` unless it is one name on either side of a slash."""
    entity, _, project = typed.partition("/")
    if not entity or not project or "/" in project:
        raise ValueError(f"`wandb` must be <entity>/<project>. Got {typed}.")
    return entity, project


def made(arguments: Sequence[str]) -> None:
    """Make the pages and say where they are; where W&B fails, the page is there all the same."""
    console = Console(soft_wrap=True, highlight=False, markup=False)
    typed, told = settings(arguments, KNOWN)
    if told["pages"] not in (None, "all"):
        raise ValueError(f"`pages` must be all, or left out. Got {told['pages']}.")
    project = None if told["wandb"] is False else entity_and_project(str(told["wandb"] or ""))
    path = folder_named(typed, measured=True)
    output = Path(told["output"]) if told["output"] else None

    def page(folder: Path) -> None:
        to = output / folder.name if output and folder != path else output
        console.print(str(report(folder, console, to, told["pages"] == "all")))
        if project:
            wandb_report = importlib.import_module("grok.pages.wandb_report")  # a slow import, of use here alone
            console.print(wandb_report.save_report(folder, *project))

    for_each(folders_in(path), page)
    print(next_commands(command("analyze", from_here(path))))


def main() -> None:
    """The command."""
    run(made, __doc__)


if __name__ == "__main__":
    main()
