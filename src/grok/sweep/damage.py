"""Files of one run that cannot be read, told apart from what else can go wrong, so that the other runs go on."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError  # type: ignore[import-untyped]

UNREADABLE = (OSError, ValueError, LookupError, TypeError, AttributeError, OmegaConfBaseException, YAMLError)


class DamagedFileError(ValueError):
    """`<file>: <what is wrong with it>`."""


@contextmanager
def reading(file: Path, root: Path) -> Iterator[None]:
    """Whatever fails within is the fault of `file`, named from `root`: raised as `DamagedFileError`."""
    try:
        yield
    except UNREADABLE as error:
        name = file.relative_to(root) if file.is_relative_to(root) else file
        raise DamagedFileError(f"{name}: {_what(error, file)}") from error


def _what(error: Exception, file: Path) -> str:
    if not file.exists():
        return "is missing"
    if isinstance(error, KeyError):
        return f"has no {error}"
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
