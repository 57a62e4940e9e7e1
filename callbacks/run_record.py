"""The run's own record on disk: metrics.csv, spectra.csv and snapshots, whatever the loggers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lightning import Callback, LightningModule, Trainer
from torch import nn

from grok.measures import spectra
from grok.measures.evaluation import Evaluation
from grok.runs.folder import RunFolder
from grok.training.lit import FullBatchTraining


class RunRecord(Callback):
    """Writes a row of every logged metric, the spectra and a snapshot at each measurement.

    | Column beside the metrics | Value |
    |---|---|
    | `step` | optimizer steps so far |
    | `keys` | the current key frequencies, separated by spaces |

    Args:
        folder: the run's folder.
        rule: of the key frequencies; one of `grok.measures.evaluation.RULES`, or a list of frequencies.
    """

    def __init__(self, folder: str | Path, rule: str | Sequence[int]) -> None:
        self.folder = RunFolder(folder)
        self.rule = rule
        self.key_frequencies = ""
        self.begun = False

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.begun = self.folder.metrics.exists()

    def on_validation_batch_end(self, trainer: Trainer, pl_module: LightningModule, outputs: Any, *_: Any) -> None:
        assert isinstance(pl_module, FullBatchTraining)
        self._write_network(outputs["evaluation"], trainer.global_step, pl_module.network)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        metrics = {name: float(value) for name, value in trainer.callback_metrics.items() if name != "step"}
        self._write_row(trainer.global_step, metrics)

    def write(self, evaluation: Evaluation, step: int, network: nn.Module, metrics: Mapping[str, float]) -> None:
        """All of a measurement that was taken without a trainer."""
        self._write_network(evaluation, step, network)
        self._write_row(step, metrics)

    def _write_network(self, evaluation: Evaluation, step: int, network: nn.Module) -> None:
        if self.begun:
            self.folder.require_there(self.folder.metrics)
        self.key_frequencies = " ".join(map(str, evaluation.key_frequencies(self.rule) or []))
        self._write_spectra(evaluation, step)
        self.folder.save_snapshot(step, network.state_dict())

    def _write_row(self, step: int, metrics: Mapping[str, float]) -> None:
        if self.begun:
            self.folder.require_there(self.folder.metrics)
        self.begun = True
        self.folder.append(self.folder.metrics, {"step": step, "keys": self.key_frequencies, **metrics})

    def _write_spectra(self, evaluation: Evaluation, step: int) -> None:
        for matrix, components in {"W_E": evaluation.W_E_components, "W_L": evaluation.W_L_components}.items():
            if components is not None:
                shares = spectra.shares(evaluation.basis.norms(components)).tolist()
                row = {"step": step, "matrix": matrix, **{str(k): s for k, s in enumerate(shares, 1)}}
                self.folder.append(self.folder.spectra, row)
