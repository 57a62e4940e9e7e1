"""A run as a command: what it refuses in one sentence, and its exit status."""

import signal
import sys
from contextlib import suppress
from pathlib import Path

from hydra.errors import InstantiationException
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from grok.runs.lock import HeldError
from grok.settings.pasting import next_commands, resume_command
from grok.settings.quiet import quiet
from grok.training.experiment import assemble
from grok.training.run import train


def execute(config: DictConfig) -> int:
    """Train what `config` describes, and say so; the exit status.

    0: finished · 1: diverged · 2: refused, in one sentence · 128 + n: ended by signal n.
    """
    console = Console()
    with quiet():
        try:
            experiment = assemble(config)
        except (ValueError, InstantiationException) as error:
            return refuse(error, config.folder)
        if config.extras.print_config:
            console.print(OmegaConf.to_yaml(config, resolve=True))
        try:
            summary = train(experiment, console)
        except HeldError as error:
            return refuse(error, config.folder)
        except KeyboardInterrupt:
            words = "stopped at once; to go on from the last checkpoint"
            print(next_commands(resume_command(config.folder), words=words), file=sys.stderr)
            return 128 + signal.SIGINT
    if summary["status"] == "interrupted":
        return 128 + int(getattr(signal, summary["ended"]))
    return int(summary["status"] == "diverged")


def refuse(error: Exception, folder: str) -> int:
    """Print the sentence, remove the empty folder that Hydra made, and return the exit status."""
    sentence = str(error.__cause__ if isinstance(error, InstantiationException) and error.__cause__ else error)
    with suppress(OSError):
        Path(folder).rmdir()  # made by Hydra; stays where it holds anything
    print(sentence, file=sys.stderr)
    return 2
