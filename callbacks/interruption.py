"""Ending a run in good order when it is told to stop."""

import signal
from types import FrameType
from typing import Any

from lightning import Callback, LightningModule, Trainer


class Interruption(Callback):
    """On Ctrl-C (SIGINT) or SIGTERM the step at hand is finished, measured and saved, and the run ends.

    The same on SIGHUP, of a terminal that is closed (unless nohup has it ignored), and on SIGUSR1 and SIGUSR2, by
    which clusters warn of preemption and of the time limit. A second Ctrl-C stops at once; the others may come as often
    as they like. Handlers are set when training starts, after Lightning has set its own, which would end the process
    without a word.
    """

    SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)

    def __init__(self) -> None:
        self.received: str | None = None
        self._before: dict[int, Any] = {}

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        def stop(number: int, frame: FrameType | None) -> None:
            self.received = signal.Signals(number).name
            trainer.should_stop = True
            signal.signal(signal.SIGINT, self._before[signal.SIGINT])

        ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN  # nohup
        wanted = [number for number in self.SIGNALS if not (number is signal.SIGHUP and ignored)]
        self._before = {number: signal.signal(number, stop) for number in wanted}
        signal.pthread_sigmask(signal.SIG_UNBLOCK, self.SIGNALS)  # held back for a point of a sweep (grok.sweep.pool)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._restore()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        self._restore()

    def _restore(self) -> None:
        while self._before:
            signal.signal(*self._before.popitem())
