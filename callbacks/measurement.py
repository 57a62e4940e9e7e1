"""What all callbacks that measure have in common."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from lightning import Callback, LightningModule, Trainer
from torch import Tensor

from grok.measures.evaluation import Evaluation
from grok.training.lit import FullBatchTraining


class Measurement(Callback, ABC):
    """Logs, at each measurement, what `measure` makes of the evaluation of all pairs."""

    @abstractmethod
    def measure(self, evaluation: Evaluation, training: FullBatchTraining) -> Mapping[str, Tensor | float]:
        """Values to log, by name."""

    def on_validation_batch_end(self, trainer: Trainer, pl_module: LightningModule, outputs: Any, *_: Any) -> None:
        assert isinstance(pl_module, FullBatchTraining)
        pl_module.record(self.measure(outputs["evaluation"], pl_module))
