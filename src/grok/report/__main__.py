"""`python -m grok.report [run or sweep folder] [wandb=<entity>/<project>]`: a page from the folders alone.

Without a folder, the latest run or sweep. With `wandb`, a W&B report of the same runs as well.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from grok import places
from grok.report.record import Record
from grok.report.run_page import run_page
from grok.run_folder import RunFolder

USAGE = "usage: python -m grok.report [run or sweep folder] [wandb=<entity>/<project>]"


def report(path: Path, console: Console, wandb: str | None = None) -> Path:
    """Make the page of the run or sweep in `path`. `ValueError` where it is neither."""
    if not path.is_dir():
        raise ValueError(f"The folder must be that of a run or of a sweep. There is no folder {path}.")
    if (path / "sweep.json").exists():
        from grok.report.sweep_page import sweep_page  # noqa: PLC0415

        return sweep_page(path, console, wandb)
    return run_page(Record.of(path), wandb=wandb)


def latest(logs: Path) -> Path:
    """The run or sweep under `logs` that was measured last. `ValueError` where there is none."""

    def measured(folder: Path) -> float:
        return max((file.stat().st_mtime for file in folder.rglob("metrics.csv")), default=-1.0)

    candidates = [x for x in logs.glob("*/*") if (x / "sweep.json").exists() or RunFolder(x).holds_a_run]
    found = max(candidates, key=measured, default=None)
    if found is None or measured(found) < 0:
        raise ValueError(
            f"There must be a run with measurements to report on. {logs} has none; `make train` makes one."
        )
    return found


def arguments(typed: Sequence[str]) -> tuple[Path | None, tuple[str, str] | None]:
    """The folder, and entity and project of W&B, as typed. `ValueError` for anything else."""
    folders = [word for word in typed if "=" not in word or Path(word).is_dir()]
    settings = dict(word.split("=", 1) for word in typed if word not in folders)
    if len(folders) > 1:
        raise ValueError(f"There must be one folder at most. Got {' '.join(folders)}.")
    unknown = settings.keys() - {"wandb"}
    if unknown:
        raise ValueError(f"The only setting is wandb=<entity>/<project>. Got {', '.join(sorted(unknown))}.")
    wandb = None
    if "wandb" in settings:
        entity, _, project = settings["wandb"].partition("/")
        if not entity or not project or "/" in project:
            raise ValueError(f"`wandb` must be <entity>/<project>. Got {settings['wandb']}.")
        wandb = entity, project
    return Path(folders[0]) if folders else None, wandb


def main() -> None:
    """Make the page and say where it is; exit 2 with one sentence for what cannot be."""
    console = Console(soft_wrap=True, highlight=False)
    if {"-h", "--help"} & set(sys.argv[1:]):
        console.print(USAGE, markup=False)
        return
    try:
        path, wandb = arguments(sys.argv[1:])
        if path is None:
            path = latest(places.logs_folder())
            console.print(f"the latest: {path}", markup=False)
        console.print(str(report(path, console, wandb and wandb_project(*wandb))), markup=False)
        if wandb:
            from grok.report import wandb_report  # noqa: PLC0415

            console.print(wandb_report.saved(path, *wandb), markup=False)
    except ValueError as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None


def wandb_project(entity: str, project: str) -> str:
    """The address of a project's page at the server that is set up."""
    server = os.environ.get("WANDB_BASE_URL", "https://api.wandb.ai").rstrip("/")
    return f"{server.replace('//api.wandb.', '//wandb.')}/{entity}/{project}"


if __name__ == "__main__":
    main()
