"""What a command prints is no part of what it does: nobody reading it, or nowhere to put it, ends nothing."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO


class Output:
    """A stream that takes whatever it is given, and goes on in silence once it can no longer be written to."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        with suppress(AttributeError, OSError, ValueError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[attr-defined] # of a locale other than UTF-8

    def write(self, text: str) -> int:
        try:
            self._stream.write(text)
        except (OSError, ValueError):
            self._silence()
        return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except (OSError, ValueError):
            self._silence()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _silence(self) -> None:
        with suppress(OSError, ValueError, AttributeError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)


@contextmanager
def steady_output() -> Iterator[None]:
    """Keep a closed pipe, a full disk or a closed terminal under stdout and stderr from ending this process."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (stream and Output(stream) for stream in before)
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, Output):
                stream.flush()
        sys.stdout, sys.stderr = before


@contextmanager
def stoppable(words: str = "stopped") -> Iterator[None]:
    """Ctrl-C ends this process with these words and exit status 130; until here it does so without words."""
    is_command = signal.getsignal(signal.SIGINT) is signal.SIG_DFL  # set while the package was imported
    if is_command:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is ending
        print(words, file=sys.stderr)
        sys.exit(128 + signal.SIGINT)
    finally:
        if is_command:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # while the process ends, as while it began
