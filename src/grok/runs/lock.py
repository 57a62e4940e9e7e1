"""One process at a time works on a run folder: the others are told who does.

The lock is flock's, which the system lets go of when the process that holds it ends, however it ends. Beside it stands
who holds it. Where a file system knows no flock (some network file systems), the holder's heartbeat decides instead: a
holder that has been silent for half a minute is taken for gone.
"""

import errno
import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from grok.runs.heartbeat import is_silent
from grok.runs.trust import refuse_links_out

NO_FLOCK = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)


class HeldError(ValueError):
    """Another process works on the folder."""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep others out of a folder. `HeldError`, which says who holds it, where another process works on it."""
    folder.mkdir(parents=True, exist_ok=True)
    refuse_links_out(folder)
    file = folder / ".lock"
    held = _opened(file, folder)
    try:
        sign(held)
        yield
    finally:
        file.unlink(missing_ok=True)  # before it is let go of, so that nobody locks a file that is no longer there
        held.close()


def sign(held: IO[str]) -> None:
    """Write into a lock file who holds it."""
    owner = {"host": socket.gethostname(), "process": os.getpid(), "since": time.strftime("%Y-%m-%d %H:%M:%S")}
    held.seek(0)
    held.truncate()
    held.write(json.dumps(owner) + "\n")
    held.flush()


def _opened(file: Path, folder: Path) -> IO[str]:
    """The lock file, locked."""
    while True:
        opened = file.open("a+", encoding="utf-8")
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = holder(file)
            opened.close()
            if error.errno in NO_FLOCK and (not owner or is_silent(folder / ".heartbeat")):
                return file.open("a+", encoding="utf-8")
            raise HeldError(
                f"One process at a time works on a run. {folder} is held by {owner or 'another process'};"
                " wait until it ends, or end it."
            ) from None
        if file.exists() and os.fstat(opened.fileno()).st_ino == file.stat().st_ino:
            return opened
        opened.close()  # its holder has just ended, and removed it


def holder(file: Path) -> str:
    """Who holds a lock file, in words; nothing where it does not say."""
    try:
        owner = json.loads(file.read_text(encoding="utf-8"))
        return f"process {owner['process']} on {owner['host']} since {owner['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return ""
