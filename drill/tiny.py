"""The run that faults are done to: small, and with everything that a run has."""

import os
import shutil
import signal
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from random import Random

from drill import file_operations
from drill.processes import Ended, finished, forked, preload, started
from drill.verdicts import UnclearError

Fault = Callable[[], object] | None
Meanwhile = Callable[[int], None] | None
EVERY = 20  # steps between checkpoints
STEPS = 60
SETTINGS = [
    "data.p=7",
    "data.train_fraction=0.5",
    "model.d_model=8",
    "model.n_heads=2",
    "model.d_mlp=16",
    f"trainer.max_steps={STEPS}",
    "trainer.accelerator=cpu",
    "measure_every=10",
    "measure_early={every: 5, until: 10}",
    f"callbacks.checkpoints.every={EVERY}",
    "logger=none",
    "threads=1",
    "pictures=false",
    "snapshots.keep=5",
]
SWEPT = ["replicate=0,1", "optim.wd=0,1"]


class Reference:
    """The undisturbed run, how many file operations it is, and an interrupted one.

    Args:
        folder: where they are made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ended, self.interrupted = folder / "ended" / "run", folder / "interrupted" / "run"
        scratch = self._scratch("ended")
        self._require_finished(preload(["train", *SETTINGS, f"hydra.run.dir={self.ended}"], scratch))
        looked_at = self.copy(self.ended, self._scratch("looked at") / "run")
        for words in (["analyze", "figures=all"], ["report"], ["status"]):
            preload([words[0], str(looked_at), *words[1:]], scratch)
        counted = self._scratch("counted")
        made, count = counted / "run", counted / "count"
        self._require_finished(train(made, counted, lambda: file_operations.number_of(made, count)))
        self.operations = int(count.read_text())
        killed = train(
            self.interrupted,
            self._scratch("interrupted"),
            file_operations.at(self.interrupted, self.operations * 3 // 4, kill),
        )
        if killed.status != -signal.SIGKILL or len(list(self.interrupted.glob("checkpoints/*.ckpt"))) < 2:
            raise UnclearError(f"the run to be interrupted ended with {killed.status}: {killed.err}")

    @cached_property
    def sweep(self) -> Path:
        """The folder of a sweep of four points."""
        made, scratch = self.folder / "sweep" / "sweep", self._scratch("sweep")
        words = ["train", "-m", *SETTINGS, *SWEPT, f"sweep={made}"]
        self._require_finished(finished(started(words, scratch)))
        return made

    def _scratch(self, name: str) -> Path:
        made = self.folder / name
        made.mkdir(parents=True, exist_ok=True)
        return made

    @staticmethod
    def _require_finished(ended: Ended) -> None:
        if ended.status != 0:
            raise UnclearError(f"the undisturbed run ended with {ended.status}: {ended.err}")

    def copy(self, which: Path, to: Path) -> Path:
        """A copy of one of them."""
        return Path(shutil.copytree(which, to))


def train(folder: Path, scratch: Path, fault: Fault = None, meanwhile: Meanwhile = None) -> Ended:
    """The run, in `folder`."""
    return forked(["train", *SETTINGS, f"hydra.run.dir={folder}"], scratch, fault, meanwhile)


def resume(folder: Path, scratch: Path, fault: Fault = None, meanwhile: Meanwhile = None) -> Ended:
    """Go on with it."""
    return forked(["train", f"resume={folder}"], scratch, fault, meanwhile)


def train_until(number: signal.Signals, folder: Path, scratch: Path, random: Random, twice: bool = False) -> Ended:
    """The run, which has a signal at a random instant of as long as it takes, and perhaps a second one soon after."""
    wait = random.uniform(0, train(scratch / "usual", scratch).seconds)

    def meanwhile(pid: int) -> None:
        time.sleep(wait)
        os.kill(pid, number)
        if twice:
            time.sleep(0.05)
            os.kill(pid, number)

    return train(folder, scratch, meanwhile=meanwhile)


def kill(path: str = "") -> None:
    """End this process as the system does when memory runs out."""
    os.kill(os.getpid(), signal.SIGKILL)
