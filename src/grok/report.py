"""`python -m grok.report [run or sweep folder] [key=value …]`: a page from the folders alone.

Without a folder, of the run or sweep that was measured last.

output=<folder>                where the pages go; by default each into the folder of its run
pages=all                      the page of every run, also of a sweep of more than 100
wandb=<entity>/<project>       a W&B report of the same runs as well
"""

import importlib
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from grok.pages.record import Record
from grok.pages.run_page import run_page
from grok.pages.sweep_page import sweep_page
from grok.runs.folder import RunFolder
from grok.settings import places
from grok.settings.commands import run, settings


def report(path: Path, console: Console, output: Path | None = None, all_pages: bool = False) -> Path:
    """The page of the run or sweep in `path`, made anew. `ValueError` where it is neither."""
    if not path.is_dir():
        raise ValueError(f"The folder must be that of a run or of a sweep. There is no folder {path}.")
    if (path / "sweep.json").exists():
        return sweep_page(path, console, output, all_pages)
    return run_page(Record.of(path), output=output)


def latest(logs: Path) -> Path:
    """The run or sweep under `logs` that was measured last. `ValueError` if nothing was measured yet."""

    def measured(folder: Path) -> float:
        return max((file.stat().st_mtime for file in folder.rglob("metrics.csv")), default=-1.0)

    candidates = [x for x in logs.glob("*/*") if (x / "sweep.json").exists() or RunFolder(x).holds_a_run]
    found = max(candidates, key=measured, default=None)
    if found is None or measured(found) < 0:
        raise ValueError(f"There must be a run with measurements. {logs} holds none; `make train` makes one.")
    return found


def entity_and_project(typed: str) -> tuple[str, str]:
    """Whose W&B project, as typed. `ValueError` unless it is one name on either side of a slash."""
    entity, _, project = typed.partition("/")
    if not entity or not project or "/" in project:
        raise ValueError(f"`wandb` must be <entity>/<project>. Got {typed}.")
    return entity, project


def made(arguments: Sequence[str]) -> None:
    """Make the page and say where it is; where W&B fails, the page is there all the same."""
    console = Console(soft_wrap=True, highlight=False, markup=False)
    path, told = settings(arguments, {"wandb": False, "output": None, "pages": None})
    if told["pages"] not in (None, "all"):
        raise ValueError(f"`pages` must be all, or left out. Got {told['pages']}.")
    project = None if told["wandb"] is False else entity_and_project(str(told["wandb"] or ""))
    if path is None:
        path = latest(places.logs_folder())
        console.print(f"the latest: {path}")
    output = None if told["output"] is None else Path(str(told["output"]))
    console.print(str(report(path, console, output, told["pages"] == "all")))
    if project:
        wandb_report = importlib.import_module("grok.pages.wandb_report")  # a slow import, of use here alone
        console.print(wandb_report.save_report(path, *project))


def main() -> None:
    """The command."""
    run(made, __doc__)


if __name__ == "__main__":
    main()
