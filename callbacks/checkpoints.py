"""Checkpoints to go on from: complete, written at once, the last two kept."""

import math
from pathlib import Path
from typing import Any

from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint

from grok.runs.files import replacing
from grok.runs.folder import RunFolder
from grok.runs.table_record import record_of_tables
from grok.settings.checks import require_whole
from grok.training.lit import FullBatchTraining


class Checkpoints(Checkpoint):
    """Saves before the first step, every `every` steps, at a new event, and where the run ends.

    A run may end at a step where a longer one would not be measured. Its checkpoint is saved
    before that last measurement, so that going on gives what never stopping would have given.
    Lightning runs callbacks of this class last, when the measurement is on disk.

    Args:
        folder: the run's folder.
        every: optimizer steps between checkpoints.
    """

    def __init__(self, folder: str | Path, every: int = 1000) -> None:
        require_whole("callbacks.checkpoints.every", every, 1, " of steps")
        self.folder = RunFolder(folder)
        self.every = every
        self.saved_step = -1
        self.events_seen = 0

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        assert isinstance(pl_module, FullBatchTraining)
        if not pl_module.schedule.is_regular(trainer.global_step):
            self._save(trainer)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        step = trainer.global_step
        assert isinstance(pl_module, FullBatchTraining)
        if not pl_module.schedule.is_regular(step):
            return
        known = trainer.callback_metrics.items()
        events = sum(name.startswith("events/") and not math.isnan(value) for name, value in known)
        due = step // self.every > self.saved_step // self.every
        if due or events != self.events_seen or trainer.should_stop or step == trainer.max_steps:
            self.events_seen = events
            self._save(trainer)

    def _save(self, trainer: Trainer) -> None:
        self.folder.make_durable(after=self.saved_step)
        self.saved_step = trainer.global_step
        with replacing(self.folder.checkpoint_at(self.saved_step)) as part:
            trainer.save_checkpoint(part)
        for old in list(self.folder.checkpoints().values())[:-2]:
            old.unlink()

    def state_dict(self) -> dict[str, Any]:
        tables = record_of_tables(self.folder)
        return {"saved_step": self.saved_step, "events_seen": self.events_seen, "tables": tables}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.saved_step, self.events_seen = state_dict["saved_step"], state_dict["events_seen"]
