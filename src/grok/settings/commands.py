"""How commands other than training take settings: `python -m grok.<command> <folder> key=value …`."""

import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError  # type: ignore[import-untyped]

from grok.settings.output import steady_output, stoppable
from grok.settings.version import version_line

PATHS = ("output", "split", "checkpoint")
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
        name, text = _name_and_text(argument, known)
        try:
            value = OmegaConf.to_container(OmegaConf.from_dotlist([f"value={text}"]))
        except (OmegaConfBaseException, YAMLError) as error:
            raise ValueError(f"`{name}` cannot be read from {text!r}: {str(error).splitlines()[0]}.") from error
        values[name] = value["value"] if isinstance(value, dict) else text
        if name in PATHS:
            values[name] = _path(name, values[name])
    return Path(folders[0]) if folders else None, values


def _path(name: str, value: Any) -> str | None:
    if value is None or (isinstance(value, str) and value and "\0" not in value):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise ValueError(f"`{name}` must be a path. Got {value!r}.")


def _name_and_text(argument: str, known: Collection[str]) -> tuple[str, str]:
    """A known setting, by its name or its last word alone, and what it is set to."""
    name, _, text = argument.partition("=")
    by_last_word = [other for other in known if other.rpartition(".")[2] == name]
    if name in known or len(by_last_word) == 1:
        return name if name in known else by_last_word[0], text
    near = get_close_matches(name.lstrip("-"), known, n=1)
    nearest = f" The nearest: `{near[0]}`." if near else ""
    raise ValueError(f"The settings are {', '.join(known) or 'none'}. Got {argument}.{nearest}")


def run(command: Callable[[Sequence[str]], Any], usage: str | None, stopped: str = "stopped") -> None:
    """Run a command, or print its usage or version.

    What it refuses is one sentence on stderr, and exit status 2; what the system refuses, such as a full disk, is 4;
    Ctrl-C, which it answers by `stopped`, is 130.
    """
    arguments = sys.argv[1:]
    if {"-h", "--help"} & set(arguments):
        print(usage)
        return
    if "--version" in arguments:
        print(version_line())
        return
    with steady_output(), stoppable(stopped):
        try:
            if options := [argument for argument in arguments if argument.startswith("-")]:
                raise ValueError(
                    f"Settings are typed as name=value, without dashes; --help lists them. Got {options[0]}."
                )
            command(arguments)
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
