"""Writing a file at once: all of it, or as it was before."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def replacing(file: Path, durable: bool = True) -> Iterator[Path]:
    """A path beside `file` to write to. What is written there takes the place of `file` at once.

    `durable` waits until the disk has both contents and name. Whatever fails within leaves `file` as it was.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    host = socket.gethostname()
    part = file.with_name(f"{file.name}.{host}.{os.getpid()}.part")
    _clear_dead(file, host)
    try:
        yield part
        if durable:
            flush(part)
        part.replace(file)
    except BaseException as error:
        if isinstance(error, OSError) and error.filename == str(part):
            error.filename = str(file)
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise
    if durable:
        with suppress(OSError):  # a file system whose folders cannot be waited for
            flush(file.parent)


def _clear_dead(file: Path, host: str) -> None:
    """Remove what processes of this machine have left beside `file` that were killed while they wrote it."""
    prefix = f"{file.name}.{host}."
    with os.scandir(file.parent) as entries:
        found = [e.name for e in entries if e.name.startswith(prefix) and e.name.endswith(".part")]
    for name in found:
        pid = name.removeprefix(prefix).removesuffix(".part")
        if pid.isdigit() and not Path("/proc", pid).exists() and Path("/proc/self").exists():
            file.with_name(name).unlink(missing_ok=True)


def write_text(file: Path, text: str, durable: bool = True) -> None:
    """Write `text` to `file`, all of it or nothing; `durable` waits for the disk."""
    with replacing(file, durable) as part, part.open("w", encoding="utf-8") as out:
        out.write(text)


def clear_leftovers(folder: Path) -> None:
    """Remove what a process that was killed while it wrote has left in a folder and those below it."""
    for part in folder.rglob("*.part"):
        if part.is_file():
            part.unlink(missing_ok=True)


def flush(path: Path) -> None:
    """Wait until the disk has what was written to a file, or the names in a folder."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
