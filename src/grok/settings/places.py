"""Where configuration is read from and runs are written to."""

import itertools
import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from omegaconf import OmegaConf

from grok.settings.orders import own_size
from grok.settings.values import LONGEST, check_value

_CHECKOUT = Path(__file__).resolve().parents[3]
_sweep_folders: list[str] = []


def conf_folder() -> Path:
    """conf/ of this checkout; the copy inside the package where it was installed from a wheel."""
    here = _CHECKOUT / "conf"
    return here if (_CHECKOUT / "src" / "grok").is_dir() and here.is_dir() else Path(__file__).parents[1] / "conf"


def logs_folder() -> Path:
    """Where runs go: $GROK_LOGS, else logs/ of this checkout, else logs/ where the command was typed."""
    told = os.environ.get("GROK_LOGS")
    if told:
        return Path(told).absolute()
    return (conf_folder().parent if conf_folder().parent == _CHECKOUT else Path.cwd()) / "logs"


def where_runs_go() -> list[str]:
    """A line that says so, where they do not go below the folder one stands in, and nobody has named another."""
    logs = logs_folder()
    if os.environ.get("GROK_LOGS") or logs.is_relative_to(Path.cwd()):
        return []
    return [f"runs go to {logs}, of the checkout that is installed; GROK_LOGS names another folder"]


def run_folder(resume: str | None, task_name: str, name: str) -> str:
    """The folder of the run to go on with, or a new one named by time and settings; made, so that no other takes it."""
    for setting, value in (("resume", resume), ("task_name", task_name), ("name", name)):
        check_value(setting, value)
    if resume:
        return str(Path(resume).absolute())
    wanted = logs_folder() / str(task_name) / f"{datetime.now():%Y-%m-%d_%H-%M-%S}_{folder_name(name)}"
    for n in itertools.count(1):
        folder = wanted if n == 1 else wanted.with_name(f"{wanted.name}_{n}")
        with suppress(FileExistsError):
            folder.mkdir(parents=True)
            break
    return str(folder)


def folder_name(name: object) -> str:
    """A run's name as a folder can have it: without slashes, and no longer than file systems take."""
    return str(name).replace("/", "_").encode()[:LONGEST].decode(errors="ignore")


def sweep_folder(sweep: str | None, task_name: str) -> str:
    """The folder of the sweep to go on with, or a new one named by time."""
    check_value("sweep", sweep)
    check_value("task_name", task_name)
    new = logs_folder() / str(task_name) / f"{datetime.now():%Y-%m-%d_%H-%M-%S}_sweep"
    _sweep_folders.append(str(Path(sweep).absolute() if sweep else new))
    return _sweep_folders[-1]


def last_sweep_folder() -> str | None:
    """The folder that `sweep_folder` named last in this process."""
    return _sweep_folders[-1] if _sweep_folders else None


def register_resolvers() -> None:
    """Make these places, and how many symbols an operation brings, known to the configuration."""
    OmegaConf.register_new_resolver("grok.own_size", own_size, replace=True)
    OmegaConf.register_new_resolver("grok.sweep_folder", sweep_folder, replace=True, use_cache=True)
    OmegaConf.register_new_resolver("grok.logs", lambda: str(logs_folder()), replace=True)
    OmegaConf.register_new_resolver("grok.run_folder", run_folder, replace=True, use_cache=True)
