"""Killed without a warning: at file operations, at random instants, and again while it goes on."""

import signal
from collections.abc import Iterator
from pathlib import Path
from random import Random

from drill import tiny
from drill.file_operations import at, number_of
from drill.processes import Ended, forked
from drill.tiny import Reference
from drill.verdicts import (
    Do,
    Injection,
    LostError,
    UnclearError,
    Verdict,
    contents,
    require_same,
    require_untouched,
    require_words,
)
from grok.runs.folder import RunFolder

SURVIVED = Verdict("survived")
# Commands that write, and where: of a run that has ended.
WRITERS = {
    "analyze": ("figures=norms", "output={scratch}/made"),
    "report": ("output={scratch}/made",),
    "final_keys": (),
}


def injections(reference: Reference, random: Random, short: bool) -> Iterator[Injection]:
    """Kills of a run at every second operation and at random instants, and of commands that write."""
    number = reference.operations
    every = range(random.randint(1, 2), number + 1, 2)
    at_each = every if not short else sorted(random.sample(every, 6))
    for n in at_each:
        twice = n % 3 == 0
        yield Injection("kills", f"at operation {n}{' and again going on' * twice}", _at(reference, n, twice))
    for i in range(3 if short else 24):
        yield Injection("kills", f"at a random instant, {i}", _anywhen(reference))
    for command, settings in WRITERS.items():
        for i in range(1 if short else 6):
            yield Injection("kills", f"{command} at a random operation, {i}", _writer(reference, command, settings))


def _at(reference: Reference, n: int, twice: bool) -> Do:
    def do(scratch: Path, random: Random) -> Verdict:
        folder = scratch / "run"
        killed = tiny.train(folder, scratch, at(folder, n, tiny.kill))
        if killed.status != -signal.SIGKILL:
            raise UnclearError(f"not killed: {killed.status} {killed.err}")
        if twice:
            _gone_on(folder, scratch, at(folder, random.randint(1, 40), tiny.kill))
        return go_on(folder, scratch, reference)

    return do


def _anywhen(reference: Reference) -> Do:
    def do(scratch: Path, random: Random) -> Verdict:
        folder = scratch / "run"
        tiny.train_until(signal.SIGKILL, folder, scratch, random)
        return go_on(folder, scratch, reference)

    return do


def go_on(folder: Path, scratch: Path, reference: Reference) -> Verdict:
    """Read what is left, go on with it, and compare with the undisturbed run."""
    _require_readable(folder, scratch)
    ended = _gone_on(folder, scratch)
    require_words(ended, 0)
    require_same(folder, reference.ended)
    return SURVIVED


def _gone_on(folder: Path, scratch: Path, fault: tiny.Fault = None) -> Ended:
    """As a user would: resume; and where there is nothing to resume, as it says, begin."""
    ended = tiny.resume(folder, scratch, fault)
    if ended.status == 2:
        require_words(ended, 2)
        if "leaves nothing to resume" in ended.err:
            return Ended(0, ended.out, ended.err, ended.seconds)
        ended = tiny.train(folder, scratch, fault)
    return ended


def _require_readable(folder: Path, scratch: Path) -> None:
    """Whatever is on disk can be read, and at most one interval between checkpoints is computed again."""
    run = RunFolder(folder)
    for file in (run.metrics, run.spectra, run.final_keys):
        if file.exists():
            run.read(file)
    run.summary()
    for step in run.snapshots():
        run.load_snapshot(step)
    steps = list(run.read(run.metrics)["step"]) if run.metrics.exists() else [0]
    again = max(steps, default=0) - max(run.checkpoints(), default=0)
    if again > tiny.EVERY:
        raise LostError(f"{again} steps are computed again, with a checkpoint each {tiny.EVERY}")
    if folder.exists():
        require_words(forked(["status", str(folder.parent)], scratch), 0, 2)


def _writer(reference: Reference, command: str, settings: tuple[str, ...]) -> Do:
    def do(scratch: Path, random: Random) -> Verdict:
        folder = reference.copy(reference.ended, scratch / "run")
        before = contents(folder)
        words = [command, str(folder), *(s.format(scratch=scratch) for s in settings)]
        counted = scratch / "count"
        forked(words, scratch, lambda: number_of(scratch, counted))
        wanted = _made(scratch, folder)
        n = random.randint(1, max(int(counted.read_text() or 1), 1) if counted.exists() else 1)
        forked(words, scratch, at(scratch, n, tiny.kill))
        require_untouched(folder, before, ("summary.json",) if command == "final_keys" else ())
        require_words(forked(words, scratch), 0)
        if _made(scratch, folder) != wanted:
            raise LostError("made again, it is something else")
        return SURVIVED

    return do


def _made(scratch: Path, folder: Path) -> set[str]:
    made = {f"made/{name}" for name in contents(scratch / "made")} if (scratch / "made").exists() else set()
    return made | set(contents(folder))
