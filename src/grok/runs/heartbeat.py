"""A file that is touched every few seconds, so that a run that was killed can be told from one that is running."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PERIOD = 10.0  # seconds between heartbeats
MISSED = 3  # heartbeats missed after which nobody is there


@contextmanager
def heartbeat(file: Path) -> Iterator[None]:
    """Touch `file` every PERIOD seconds, and remove it in the end."""
    done = threading.Event()

    def beat() -> None:
        while not done.wait(PERIOD):
            with suppress(OSError):  # a full disk is noticed by what must be written
                file.touch()

    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        with suppress(OSError):
            file.unlink(missing_ok=True)


def is_silent(file: Path) -> bool:
    """Whether nobody touches `file` any more."""
    return not file.exists() or time.time() - file.stat().st_mtime > MISSED * PERIOD
