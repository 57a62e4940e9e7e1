"""Files of a run or a sweep that cannot be read: a sentence for each, so that commands refuse and others go on."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError  # type: ignore[import-untyped]

UNREADABLE = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RecursionError,
    OmegaConfBaseException,
    YAMLError,
)

KINDS = {".yaml": "YAML", ".json": "JSON", ".csv": "a table", ".safetensors": "a snapshot", ".ckpt": "a checkpoint"}


class DamagedFileError(ValueError):
    """`<file>: <what is wrong with it>`."""

    def __init__(self, file: Path, what: str, root: Path | None = None) -> None:
        self.file, self.what = file, what
        name = file.relative_to(root) if root is not None and file.is_relative_to(root) else file
        super().__init__(f"{name}: {what}")


LARGEST = {
    ".json": 1 << 28,
    ".csv": 1 << 32,
    ".safetensors": 1 << 33,
    ".ckpt": 1 << 35,
}  # bytes, before memory is taken


@contextmanager
def reading(file: Path, root: Path | None = None) -> Iterator[None]:
    """Whatever fails within is the fault of `file`, named from `root`: raised as `DamagedFileError`."""
    try:
        if file.is_file() and file.stat().st_size > LARGEST.get(file.suffix, math.inf):
            raise ValueError(f"it is larger than {LARGEST[file.suffix] >> 20:,} MB")
        yield
    except DamagedFileError as error:
        raise DamagedFileError(error.file, error.what, root) from error
    except UNREADABLE as error:
        raise DamagedFileError(file, _what(error, file), root) from error


def _what(error: Exception, file: Path) -> str:
    if not file.exists():
        return "is missing"
    if isinstance(error, KeyError):
        return f"has no {error}"
    if file.is_dir():
        return "is a folder, not a file"
    mark = getattr(error, "problem_mark", None)
    where = f" (line {mark.line + 1})" if mark is not None else ""
    words = getattr(error, "problem", None) or str(error).strip() or type(error).__name__
    kind = KINDS.get(file.suffix)
    return f"{f'cannot be read as {kind}: ' if kind else ''}{words.splitlines()[0]}{where}"
