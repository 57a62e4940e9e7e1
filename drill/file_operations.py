"""The operations of a process on the files of a folder, counted, so that a fault can come at any one of them."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

CHANGES = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.link", "os.symlink")
Fault = Callable[[int, str, str], None]  # the operation's number from 1, its name, its path


def watch(folder: Path, fault: Fault) -> None:
    """Call `fault` before every operation of this process that changes something in `folder`, and before each fsync."""
    count = 0

    def seen(name: str, path: object) -> None:
        nonlocal count
        text = os.fsdecode(path) if isinstance(path, (str, bytes, os.PathLike)) else ""
        if os.path.abspath(text).startswith(str(folder)):
            count += 1
            fault(count, name, text)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = arguments
            if (mode and set(mode) & set("wax+")) or (not mode and flags & (os.O_WRONLY | os.O_RDWR)):
                seen(event, path)
        elif event in CHANGES:
            seen(event, arguments[0])

    synced = os.fsync

    def fsync(opened: int) -> None:
        seen("fsync", os.readlink(f"/proc/self/fd/{opened}"))
        synced(opened)

    os.fsync = fsync  # type: ignore[assignment] # of the number of a file alone
    sys.addaudithook(hook)


def number_of(folder: Path, counted: Path) -> None:
    """Keep in the file `counted` how many operations there were; it lies outside `folder`."""
    opened = os.open(counted, os.O_WRONLY | os.O_CREAT, 0o644)
    watch(folder, lambda number, name, path: (os.pwrite(opened, str(number).encode(), 0), None)[1])


def at(folder: Path, number: int, what: Callable[[str], None], always: bool = False) -> Callable[[], None]:
    """A fault for `processes.forked`: `what` of the path at that operation, or with `always` from it on."""

    def fault(found: int, name: str, path: str) -> None:
        if found == number or (always and found > number):
            what(path)

    return lambda: watch(folder, fault)
