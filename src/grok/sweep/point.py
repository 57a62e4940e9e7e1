"""One point of a sweep in a process of its own: `python -m grok.sweep.point <its configuration> <its run folder>`."""

import fcntl
import os
import signal
import sys
import threading
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from grok.runs.configuration import current, loaded, moved
from grok.runs.folder import RunFolder
from grok.runs.resume import checkpoint_to_resume, resumed_config, set_aside
from grok.runs.trust import allow_own_parts, foreign_parts
from grok.settings import places
from grok.settings.output import steady_output, stoppable
from grok.sweep.identity import FOLDER_PLACEHOLDER
from grok.training.command import execute


def configuration(file: Path, run: Path) -> DictConfig | None:
    """What is left to do for a point: start, go on, or nothing at all (None).

    A run that was killed before its first checkpoint is moved aside, and begun again.
    """
    frozen = OmegaConf.to_container(loaded(file))
    config = current(OmegaConf.create(moved(frozen, FOLDER_PLACEHOLDER, str(run))))
    if own := foreign_parts(config):
        allow_own_parts()
    folder = RunFolder(run)
    if not folder.holds_a_run:
        return config
    if folder.summary().get("status") == "finished":
        return None
    if not folder.config.exists() or not folder.checkpoints():
        set_aside(folder)
        return config
    config.resume = str(folder.path)
    resumed = resumed_config(config, [], [part.partition("=")[2] for part in own])
    checkpoint_to_resume(folder, resumed.trainer.max_steps, resumed.stop)
    return resumed


def main() -> None:
    """Train what is left of the point; exit as `python -m grok.train` does."""
    places.register_resolvers()
    file, run = (Path(argument).absolute() for argument in sys.argv[1:])
    threading.Thread(target=_end_with_controller, daemon=True).start()
    with file.open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # a process of a controller that died may still be ending
        config = configuration(file, run)
        if config is not None:
            with steady_output(), stoppable():
                sys.exit(execute(config))


def _end_with_controller() -> None:
    """Whoever started this process holds the other end of its standard input, until it dies."""
    os.read(0, 1)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
