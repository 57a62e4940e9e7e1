"""Processes on the slots of one machine: so many at once, each with its GPU or its share of the threads."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

POLL = 0.1  # seconds


@dataclass(frozen=True)
class Slot:
    """Room for one process at a time."""

    gpu: str | None  # as CUDA_VISIBLE_DEVICES names it
    threads: int

    @property
    def environment(self) -> dict[str, str]:
        threads = {name: str(self.threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
        return {**os.environ, **threads, **({} if self.gpu is None else {"CUDA_VISIBLE_DEVICES": self.gpu})}


@dataclass(frozen=True)
class Task:
    """A command to run, and where its output is appended."""

    command: Sequence[str]
    output: Path


def run(
    tasks: Iterable[Task],
    slots: Sequence[Slot],
    started: Callable[[Task, Slot], None],
    ended: Callable[[Task, int], None],
) -> bool:
    """Run every task, each alone on a slot; False where a signal ended it early.

    `started` and `ended` (with the exit status, negative for a signal) are called in this thread. On
    SIGINT or SIGTERM no further task starts, and those that run are told to end by SIGTERM. A task's
    standard input closes when this process dies, however it dies.
    """
    waiting, free = iter(tasks), list(slots)
    running: dict[subprocess.Popen[bytes], tuple[Task, Slot]] = {}
    with _told_to_stop() as stop:
        try:
            while True:
                while free and not stop and (task := next(waiting, None)) is not None:
                    slot = free.pop(0)
                    running[_start(task, slot)] = task, slot
                    started(task, slot)
                if not running:
                    return not stop
                time.sleep(POLL)
                for process in [x for x in running if x.poll() is not None]:
                    task, slot = running.pop(process)
                    free.append(slot)
                    _close(process)
                    ended(task, process.returncode)
                if stop and stop[0]:
                    stop[0] = 0
                    for process in running:
                        process.send_signal(signal.SIGTERM)
        finally:
            for process in running:
                process.terminate()


def _start(task: Task, slot: Slot) -> "subprocess.Popen[bytes]":
    task.output.parent.mkdir(parents=True, exist_ok=True)
    with task.output.open("ab") as output:
        return subprocess.Popen(
            task.command,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=slot.environment,
            start_new_session=True,  # Ctrl-C is for this process, which passes it on in good order
        )


def _close(process: "subprocess.Popen[bytes]") -> None:
    if process.stdin is not None:
        process.stdin.close()


@contextmanager
def _told_to_stop() -> Iterator[list[int]]:
    """A list that is empty until SIGINT or SIGTERM came."""
    told: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        told.append(number)

    before: dict[int, Any] = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
