"""How commands other than training take settings: `python -m grok.<command> <folder> key=value …`."""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError  # type: ignore[import-untyped]

from grok.settings.output import steady_output, stoppable

REFUSED, DISK = 2, 4  # exit statuses: by this program, in one sentence; by the system, in one as well


def settings(arguments: Sequence[str], known: Mapping[str, Any]) -> tuple[Path | None, dict[str, Any]]:
    """The folder, where one is named, and every known setting, as typed or by default; `ValueError` for others."""
    folders = [argument for argument in arguments if "=" not in argument]
    if len(folders) > 1:
        raise ValueError(f"One folder is to be named, and settings as key=value. Got {' '.join(folders)}.")
    values = dict(known)
    for argument in arguments:
        if argument in folders:
            continue
        name, _, text = argument.partition("=")
        if name not in known:
            raise ValueError(f"The settings are {', '.join(known) or 'none'}. Got {argument}.")
        try:
            value = OmegaConf.to_container(OmegaConf.from_dotlist([f"value={text}"]))
        except (OmegaConfBaseException, YAMLError) as error:
            raise ValueError(f"`{name}` cannot be read from {text!r}: {str(error).splitlines()[0]}.") from error
        values[name] = value["value"] if isinstance(value, dict) else text
    return Path(folders[0]) if folders else None, values


def folder_and_settings(usage: str, arguments: Sequence[str], known: Mapping[str, Any]) -> tuple[Path, dict[str, Any]]:
    """The same where a folder must be named; `ValueError` with the usage where none is."""
    path, values = settings(arguments, known)
    if path is None:
        raise ValueError(f"usage: python -m grok.{usage}")
    return path, values


def run(command: Callable[[Sequence[str]], Any], usage: str | None, stopped: str = "stopped") -> None:
    """Run a command, or print its usage.

    What it refuses is one sentence on stderr, and exit status 2; what the system refuses, such as a full disk, is 4;
    Ctrl-C, which it answers by `stopped`, is 130.
    """
    if {"-h", "--help"} & set(sys.argv[1:]):
        print(usage)
        return
    with steady_output(), stoppable(stopped):
        try:
            command(sys.argv[1:])
        except ValueError as error:
            print(error, file=sys.stderr)
            sys.exit(REFUSED)
        except OSError as error:
            way_out = " `output=` takes another place." if "output=" in (usage or "") else ""
            print(disk_sentence(error) + way_out, file=sys.stderr)
            sys.exit(DISK)


def disk_sentence(error: OSError) -> str:
    """What the system refused, and of which file."""
    what = error.strerror or str(error)
    return f"{error.filename} cannot be written or read: {what}." if error.filename else f"The disk refused: {what}."
