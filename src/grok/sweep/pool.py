"""Processes on the slots of one machine: so many at once, each with its GPU or its share of the threads."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

POLL = 0.1  # seconds
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Slot:
    """Room for one process at a time."""

    gpu: str | None  # as CUDA_VISIBLE_DEVICES names it
    threads: int

    @property
    def environment(self) -> dict[str, str]:
        threads = {name: str(self.threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
        return {**threads, **({} if self.gpu is None else {"CUDA_VISIBLE_DEVICES": self.gpu})}


@dataclass(frozen=True)
class Task:
    """A command to run, where its output is appended, and what it finds in its environment beside this one's."""

    command: Sequence[str]
    output: Path
    environment: Mapping[str, str] = field(default_factory=dict)


class Pool:
    """Runs tasks, each alone on a slot.

    Args:
        slots: the room there is.
        started: called with each task and its slot when it starts, in the thread of `run`.
        ended: called with each task and its exit status (negative for a signal) when it has ended.
        told: called with the number of a signal to stop.
        waited: called between looks at what runs.

    A task's standard input closes when this process dies, however it dies.
    """

    def __init__(
        self,
        slots: Sequence[Slot],
        started: Callable[[Task, Slot], None],
        ended: Callable[[Task, int], None],
        told: Callable[[int], None] = lambda _: None,
        waited: Callable[[], None] = lambda: None,
    ) -> None:
        self._free = list(slots)
        self._started, self._ended, self._told, self._waited = started, ended, told, waited
        self._running: dict[subprocess.Popen[bytes], tuple[Task, Slot]] = {}

    def run(self, tasks: Iterable[Task]) -> bool:
        """Run every task; False where SIGINT, SIGTERM or SIGHUP ended it early: then no further task starts, and those
        that run are told to end."""
        waiting = iter(tasks)
        with _stop_signals() as stop:
            try:
                while True:
                    while self._free and not stop and (task := next(waiting, None)) is not None:
                        self._start(task)
                    if not self._running:
                        return not stop
                    time.sleep(POLL)
                    self._note_ended()
                    if stop and stop[0]:
                        self._told(stop[0])
                        stop[0] = 0
                        self._terminate()
                    self._waited()
            finally:
                self._terminate()

    def end(self, seconds: float) -> None:
        """Tell all that run to end, by SIGTERM, and wait so long for them."""
        self._terminate()
        until = time.monotonic() + seconds
        while self._running and time.monotonic() < until:
            time.sleep(POLL)
            self._note_ended()

    def _start(self, task: Task) -> None:
        slot = self._free.pop(0)
        task.output.parent.mkdir(parents=True, exist_ok=True)
        with task.output.open("ab") as output, _warnings_blocked():
            process = subprocess.Popen(
                task.command,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **task.environment, **slot.environment},
                start_new_session=True,  # Ctrl-C is for this process, which passes it on in good order
            )
            self._running[process] = task, slot  # before a warning can come that is to reach it
        self._started(task, slot)

    def _note_ended(self) -> None:
        for process in [x for x in self._running if x.poll() is not None]:
            task, slot = self._running.pop(process)
            self._free.append(slot)
            if process.stdin is not None:
                process.stdin.close()
            self._ended(task, process.returncode)

    def _terminate(self) -> None:
        for process in self._running:
            process.send_signal(signal.SIGTERM)


@contextmanager
def _warnings_blocked() -> Iterator[None]:
    """Start a process that keeps SIGUSR1 and SIGUSR2 waiting until it is ready for them (callbacks.interruption).

    SLURM sends its warning to every process of a job, and to one that still imports it would be the end.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGUSR1, signal.SIGUSR2))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _stop_signals() -> Iterator[list[int]]:
    """A list that is empty until a signal to stop came; SIGHUP, of a closed terminal, unless nohup has it ignored."""
    received: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        received.append(number)

    wanted = [
        number for number in STOP_SIGNALS if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN
    ]
    before: dict[int, Any] = {number: signal.signal(number, note) for number in wanted}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
