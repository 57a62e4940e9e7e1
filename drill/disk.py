"""The disk: full, without inodes, read-only, too small for a file, taken away; too few files open."""

import errno
import os
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from drill import tiny
from drill.file_operations import at
from drill.kills import go_on
from drill.processes import Ended, forked
from drill.tiny import Reference
from drill.verdicts import (
    Do,
    Injection,
    UnclearError,
    Verdict,
    contents,
    require_same,
    require_untouched,
    require_words,
)

DISK = 4  # the exit status of what the system refuses
ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EACCES, errno.ESTALE)


def injections(reference: Reference, random: Random, short: bool) -> Iterator[Injection]:
    """Errors at enumerated operations, limits of the process, and a file system that is really full."""
    number = reference.operations
    for i, n in enumerate(sorted(random.sample(range(1, number + 1), 4 if short else min(40, number)))):
        error, once = ERRORS[i % len(ERRORS)], i % 5 == 4
        name = f"{errno.errorcode[error]} at operation {n}{' alone' if once else ' and from then on'}"
        yield Injection("disk", name, _error(reference, n, error, once))
    for i in range(1 if short else 10):
        yield Injection("disk", f"a limit on the size of files, {i}", _file_size(reference))
    for i in range(1 if short else 6):
        yield Injection("disk", f"a limit on open files, {i}", _open_files(reference))
    for i in range(0 if short or os.geteuid() else 10):
        yield Injection("disk", f"a small file system, {i}", _small(reference, inodes=i % 3 == 2))
    for i in range(1 if short else 6):
        yield Injection("disk", f"the folder is taken away, {i}", _taken_away(reference))
    for command in ("analyze", "report", "final_keys", "export"):
        yield Injection("disk", f"{command} where nothing can be written", _command(reference, command))


def _then_on(folder: Path, scratch: Path, ended: Ended, reference: Reference) -> Verdict:
    """What failed said so; with room again it goes on, and comes to the same."""
    if ended.status == 0:
        require_words(ended, 0)
        require_same(folder, reference.ended)
        return Verdict("survived")
    require_words(ended, DISK)
    return go_on(folder, scratch, reference)


def _error(reference: Reference, n: int, error: int, once: bool) -> Do:
    def fail(path: str) -> None:
        raise OSError(error, os.strerror(error), path)

    def do(scratch: Path, random: Random) -> Verdict:
        folder = scratch / "run"
        return _then_on(folder, scratch, tiny.train(folder, scratch, at(folder, n, fail, not once)), reference)

    return do


def _limit(what: int, number: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(what, (number, resource.getrlimit(what)[1]))


def _file_size(reference: Reference) -> Do:
    largest = max(file.stat().st_size for file in reference.ended.rglob("*") if file.is_file())

    def do(scratch: Path, random: Random) -> Verdict:
        folder, size = scratch / "run", random.randint(1000, largest)
        return _then_on(folder, scratch, tiny.train(folder, scratch, _limit(resource.RLIMIT_FSIZE, size)), reference)

    return do


def _open_files(reference: Reference) -> Do:
    def do(scratch: Path, random: Random) -> Verdict:
        folder = scratch / "run"
        most = len(os.listdir("/proc/self/fd")) + random.randint(0, 6)
        return _then_on(folder, scratch, tiny.train(folder, scratch, _limit(resource.RLIMIT_NOFILE, most)), reference)

    return do


@contextmanager
def _mounted(place: Path, options: str) -> Iterator[None]:
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "drill", str(place)], check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def _small(reference: Reference, inodes: bool) -> Do:
    files = [file for file in reference.ended.rglob("*") if file.is_file()]
    size = sum(4096 * (1 + file.stat().st_size // 4096) for file in files)

    def do(scratch: Path, random: Random) -> Verdict:
        place = scratch / "small"
        options = f"nr_inodes={random.randint(4, len(files))}" if inodes else f"size={random.randint(20_000, size)}"
        with _mounted(place, options):
            folder = place / "run"
            ended = tiny.train(folder, scratch)
            if ended.status != 0:
                require_words(ended, DISK)
            if folder.exists():
                shutil.copytree(folder, scratch / "run")
        return _then_on(scratch / "run", scratch, ended, reference)

    return do


def _taken_away(reference: Reference) -> Do:
    def do(scratch: Path, random: Random) -> Verdict:
        folder = scratch / "run"
        n = random.randint(8, reference.operations - 8)  # the last ones clear up
        ended = tiny.train(folder, scratch, at(folder, n, lambda path: shutil.rmtree(folder, ignore_errors=True)))
        require_words(ended, DISK)
        return Verdict("survived")

    return do


def _command(reference: Reference, command: str) -> Do:
    def fail(path: str) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)

    def do(scratch: Path, random: Random) -> Verdict:
        folder = reference.copy(reference.ended, scratch / "run")
        before = contents(folder)
        ended = forked([command, str(folder)], scratch, at(folder, 1, fail, always=True))
        require_words(ended, 0, 2, DISK)
        require_untouched(folder, before)
        if ended.status == 0 and command in ("analyze",):
            raise UnclearError("ended with 0 although nothing could be written")
        return Verdict("survived")

    return do
