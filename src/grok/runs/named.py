"""Folders as they are named to commands: of a run, of a sweep, of several of them, `latest`, or not at all."""

from collections.abc import Callable, Sequence
from pathlib import Path

from grok.runs.folder import RunFolder
from grok.settings import places
from grok.settings.pasting import command, from_here, hydra_setting

LATEST = "latest"
OF_A_RUN = ("metrics.csv", "*/metrics.csv", "runs/*/metrics.csv")  # of a run itself, a search, a sweep
BEGUN = ("config.yaml", "sweep.json")


def is_sweep(path: Path) -> bool:
    """Whether it is the folder of a sweep."""
    return (path / "sweep.json").exists()


def folders_in(path: Path) -> list[Path]:
    """The folder itself, if it is that of a run or a sweep, else all such right in it; `ValueError` for none."""
    if is_sweep(path) or RunFolder(path).holds_a_run:
        return [path]
    inside = sorted(path.iterdir()) if path.is_dir() else []
    found = [x for x in inside if x.is_dir() and (is_sweep(x) or RunFolder(x).holds_a_run)]
    if not found:
        what = f"{path} is none of these" if path.is_dir() else f"There is no folder {path}"
        raise ValueError(f"The folder must be that of a run or of a sweep, or hold some. {what}.")
    return found


def for_each(folders: Sequence[Path], act: Callable[[Path], object]) -> None:
    """Do something for each folder: of several, one that is refused is said and left out."""
    for folder in folders:
        try:
            act(folder)
        except ValueError as error:
            if len(folders) == 1:
                raise
            print(f"left out: {error}")


def folder_named(typed: Path | None, *, measured: bool = False, runs: bool = True, sweeps: bool = True) -> Path:
    """The folder that was typed; the latest, and said, where none was, or `latest`. As `latest`, a `ValueError`."""
    if typed is not None and (str(typed) != LATEST or typed.exists()):
        return typed
    found = from_here(latest(measured=measured, runs=runs, sweeps=sweeps))
    print(f"the latest: {found}", flush=True)
    return found


def without_latest(typed: str) -> str:
    """`resume=latest` and `sweep=latest` with the folder that they stand for; whatever else is typed as it is."""
    name, _, value = typed.partition("=")
    if name not in ("resume", "sweep") or value != LATEST:
        return typed
    return hydra_setting(name, folder_named(None, runs=name == "resume", sweeps=name == "sweep"))


def latest(*, measured: bool = False, sweeps: bool = True, runs: bool = True) -> Path:
    """The run or sweep in the folder of all runs that was measured last, or begun. `ValueError` if there is none.

    Args:
        measured: only those with measurements.
        sweeps, runs: whether those are looked for.
    """
    logs = places.logs_folder()

    def when(folder: Path) -> float:
        files = (file for pattern in OF_A_RUN for file in folder.glob(pattern))
        begun = (folder / name for name in BEGUN if not measured)
        return max((file.stat().st_mtime for file in (*files, *begun) if file.exists()), default=-1.0)

    candidates = [x for x in logs.glob("*/*") if (sweeps if is_sweep(x) else runs and RunFolder(x).holds_a_run)]
    found = max(candidates, key=when, default=None)
    if found is None or when(found) < 0:
        kind, words = ("run", ["experiment=quick"]) if runs else ("sweep", ["-m", "experiment=quick", "wd=0,1"])
        way_out = f"{logs} holds none; `{command('train', *words)}` makes one"
        raise ValueError(f"There must be a {kind}{' with measurements' if measured else ''}. {way_out}.")
    return found
