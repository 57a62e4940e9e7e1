"""Ending a run that has become stable."""

import math

from lightning import Callback, LightningModule, Trainer

STOPS = ("stable", "never")
TRAIN_ON = 1.1  # a stable run trains a tenth longer


class Stopping(Callback):
    """Ends the run when it has been stable for a tenth longer, as `callbacks.phases.Phases` logs it.

    Args:
        stop: "stable" does so; "never" trains all steps.
    """

    def __init__(self, stop: str = "stable") -> None:
        if stop not in STOPS:
            raise ValueError(f"`stop` must be one of {', '.join(STOPS)}. Got {stop!r}.")
        self.stop = stop

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        stable = float(trainer.callback_metrics.get("events/stable", math.nan))  # nan until it is
        if self.stop == "stable" and trainer.global_step >= TRAIN_ON * stable:
            trainer.should_stop = True
