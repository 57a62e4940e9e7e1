"""Signals: those that ask a run to end, and output that nobody reads."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

from drill import tiny
from drill.kills import go_on
from drill.processes import finished, started
from drill.tiny import Reference
from drill.verdicts import Do, Injection, UnclearError, Verdict, require_same, require_words

ASKED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)


def injections(reference: Reference, random: Random, short: bool) -> Iterator[Injection]:
    """Each signal at random instants, once and twice; closed pipes and full devices under the output."""
    for number in ASKED:
        for i in range(1 if short else 8):
            name = f"{signal.Signals(number).name} at a random instant, {i}{', twice' * (i % 4 == 3)}"
            yield Injection("signals", name, _asked(reference, number, twice=i % 4 == 3))
    outputs = {"a pipe that is closed": _closed_pipe, "a full device": _full_device, "no output at all": _no_output}
    for name, fault in list(outputs.items())[: 1 if short else None]:
        yield Injection("signals", f"output into {name}", _output(reference, fault))
    if not short:
        yield Injection("signals", "a reader that leaves, of a fresh process", _head(reference))


def _asked(reference: Reference, number: signal.Signals, twice: bool) -> Do:
    def do(scratch: Path, random: Random) -> Verdict:
        folder = scratch / "run"
        ended = tiny.train_until(number, folder, scratch, random, twice)
        require_words(ended, 0, 128 + number, -number)
        if ended.status == 0:
            require_same(folder, reference.ended)
            return Verdict("survived")
        return go_on(folder, scratch, reference)

    return do


def _closed_pipe() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    os.dup2(writer, 1)
    os.dup2(writer, 2)


def _full_device() -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, 1)
    os.dup2(full, 2)


def _no_output() -> None:
    os.close(1)
    os.close(2)


def _output(reference: Reference, fault: Callable[[], None]) -> Do:
    def do(scratch: Path, random: Random) -> Verdict:
        folder = scratch / "run"
        ended = tiny.train(folder, scratch, fault)
        if ended.status != 0:
            raise UnclearError(f"exit status {ended.status}")
        require_same(folder, reference.ended)
        return Verdict("survived")

    return do


def _head(reference: Reference) -> Do:
    def do(scratch: Path, random: Random) -> Verdict:
        folder = scratch / "run"
        process = started(["train", *tiny.SETTINGS, f"hydra.run.dir={folder}"], scratch)
        assert process.stdout
        process.stdout.readline()
        os.close(process.stdout.fileno())
        process.stdout = None
        require_words(finished(process), 0)
        require_same(folder, reference.ended)
        return Verdict("survived")

    return do
