"""A run as a command: what it refuses in one sentence, and its exit status."""

import re
import signal
import sys
from contextlib import suppress
from pathlib import Path

from hydra.errors import InstantiationException
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from grok.runs.damage import DamagedFileError
from grok.runs.lock import HeldError
from grok.runs.trust import has_own_parts
from grok.settings.commands import DISK, REFUSED, disk_sentence
from grok.settings.pasting import next_commands, resume_command
from grok.settings.quiet import quiet
from grok.training.experiment import Experiment, assemble
from grok.training.run import train


def execute(config: DictConfig) -> int:
    """Train what `config` describes, and say so; the exit status.

    0: finished · 1: diverged · 2: refused, in one sentence · 4: refused by the disk · 128 + n: ended by signal n.
    """
    with quiet():
        try:
            experiment = assemble(config)
        except (OSError, ValueError, InstantiationException) as error:
            return refuse(error, config.folder)
        return _trained(experiment)


def _trained(experiment: Experiment) -> int:
    console, config = Console(), experiment.config
    if config.extras.print_config:
        console.print(OmegaConf.to_yaml(config, resolve=True))
    try:
        summary = train(experiment, console)
    except (HeldError, DamagedFileError) as error:
        return refuse(error, config.folder)
    except OSError as error:
        words = "what was saved before is whole; to go on, when that is mended"
        _say_how_to_go_on(Path(config.folder), words)
        return refuse(error, config.folder)
    except (ValueError, LookupError):
        try:
            experiment.folder.require_there(experiment.folder.config)
        except FileNotFoundError as error:
            return refuse(error, config.folder)
        raise
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is ending
        words = "stopped at once; to go on from the last checkpoint"
        _say_how_to_go_on(Path(config.folder), words)
        return 128 + signal.SIGINT
    if summary["status"] == "interrupted":
        return 128 + int(getattr(signal, summary["ended"]))
    return int(summary["status"] == "diverged")


def _say_how_to_go_on(folder: Path, words: str) -> None:
    print(next_commands(resume_command(folder, has_own_parts(folder)), words=words), file=sys.stderr)


def refuse(error: Exception, folder: str) -> int:
    """Print the sentence, remove the empty folder that Hydra made, and return the exit status."""
    with suppress(OSError):
        Path(folder).rmdir()  # made by Hydra; stays where it holds anything
    if isinstance(error, OSError):
        print(disk_sentence(error), file=sys.stderr)
        return DISK
    print(instantiation_sentence(error) if isinstance(error, InstantiationException) else error, file=sys.stderr)
    return REFUSED


def instantiation_sentence(error: InstantiationException) -> str:
    """What a part says of its settings; what Hydra says of its target, with the setting's name first."""
    if isinstance(error.__cause__, ValueError) and not str(error.__cause__).startswith("Error loading"):
        return str(error.__cause__)
    words, _, key = str(error).partition("\nfull_key: ")
    reason = " ".join(str(error.__cause__ or words).partition(", set env var")[0].split())
    reason = re.sub(r"\w+Error\(.(.*).\)", r"\1", reason)
    return f"`{key or '_target_'}` cannot be made: {reason}."
