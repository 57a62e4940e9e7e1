"""The one grammar of all commands that look at folders: `python -m grok.<command> <folder> key=value …`."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


def settings_after(
    command: str, folder: str, known: Mapping[str, str], otherwise: Callable[[], Path] | None = None
) -> tuple[Path, dict[str, str]]:
    """The folder that was typed, and the settings after it.

    Args:
        command, folder: what is said of how to type them.
        known: the settings there are, with their values where none is typed.
        otherwise: the folder where none is typed; None where one must be.

    Raises `ValueError` for anything else.
    """
    typed = sys.argv[1:]
    if otherwise and (not typed or typed[0].split("=")[0] in known):
        typed = [str(otherwise()), *typed]
    if not typed or "=" in typed[0] or typed[0].startswith("-"):
        settings = "".join(f" [{name}={value or '…'}]" for name, value in known.items())
        raise ValueError(f"usage: python -m grok.{command} {folder}{settings}")
    chosen = dict(known)
    for argument in typed[1:]:
        name, equals, value = argument.partition("=")
        if not equals or name not in known:
            among = ", ".join(f"{name}=…" for name in known) or "no settings"
            raise ValueError(f"`python -m grok.{command}` takes {among} after the folder. Got {argument}.")
        chosen[name] = value
    return Path(typed[0]), chosen


@contextmanager
def refusals() -> Iterator[None]:
    """Print the sentence of a `ValueError` and end the process with status 2."""
    try:
        yield
    except ValueError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
