"""Lightning's view of the task: the pairs as data, full-batch steps as training.

One Lightning batch is a *block* of optimizer steps on the resident training pairs, up to the
next scheduled measurement; the validation batch after it is the evaluation of all p² pairs.
Everything that users see counts optimizer steps, which `trainer.global_step` does here as well.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from typing import Any, NamedTuple

import torch
from lightning import LightningDataModule, LightningModule
from lightning.pytorch.core.optimizer import LightningOptimizer
from torch import Tensor, nn

from grok.measures.evaluation import Evaluation
from grok.model.cross_entropy import cross_entropy
from grok.runs.schedule import Schedule
from grok.settings.checks import require_whole
from grok.tasks import operations
from grok.tasks.modular import Task
from grok.tasks.pairs import AllPairs
from grok.training.full_batch import FullBatchOptimizer
from grok.training.machine import tf32_products
from grok.training.optimizers import optimizer_of


class DivergedError(ArithmeticError):
    """The loss is no longer a finite number."""

    def __init__(self, step: int) -> None:
        super().__init__(f"The training loss is no longer finite at step {step}; a smaller `optim.lr` may help.")
        self.step = step


class Pairs(NamedTuple):
    """Training pairs, or all of them."""

    a: Tensor
    b: Tensor
    answers: Tensor


class _Repeated:
    """A loader that yields one resident batch `times` times an epoch, or for ever."""

    def __init__(self, batch: Pairs | AllPairs, times: int | None = None) -> None:
        self.batch, self.times = batch, times

    def __iter__(self) -> Iterator[Pairs | AllPairs]:
        return itertools.repeat(self.batch) if self.times is None else itertools.repeat(self.batch, self.times)


class FullBatchData(LightningDataModule):
    """All pairs of a task: those to train on as one resident batch, and the table of all.

    Args:
        task: answers, and which pairs are for training.
    """

    def __init__(self, task: Task) -> None:
        super().__init__()
        mask, answers = task.train, task.answers
        self.p = len(answers)
        names = [str(name) for name in getattr(task, "symbols", ())]
        self.symbols = [] if names == [str(x) for x in range(self.p)] else names  # where they are not the numbers
        a, b = operations.all_pairs(self.p)
        self.training = Pairs(a[mask], b[mask], answers[mask])
        self.all = AllPairs(answers, mask)

    def train_dataloader(self) -> _Repeated:
        return _Repeated(self.training)

    def val_dataloader(self) -> _Repeated:
        return _Repeated(self.all, times=1)

    def transfer_batch_to_device(self, batch: Any, device: torch.device, dataloader_idx: int) -> Any:
        """The batch on the training device; copied there once, and resident from then on."""
        if isinstance(batch, Pairs) and batch.a.device != device:
            self.training = Pairs(*(x.to(device) for x in batch))
        if isinstance(batch, AllPairs) and batch.answers.device != device:
            self.all = batch.to(device)
        return self.training if isinstance(batch, Pairs) else self.all


class FullBatchTraining(LightningModule):
    """The paper's training: all training pairs at each step, a short linear warm-up.

    Args:
        network: what is trained.
        schedule: where blocks of steps end.
        lr: learning rate after the warm-up.
        wd: weight decay, on every parameter.
        warmup_steps: update n uses lr · min(n / warmup_steps, 1), so the first uses 0.
        tf32: let a GPU's tensor cores take the steps, exact float32 otherwise; measurements are always exact.
        optimizer: import path of a `torch.optim.Optimizer`.
        of_optimizer: what else it takes, such as betas and eps.
    """

    def __init__(
        self,
        network: nn.Module,
        schedule: Schedule,
        lr: float,
        wd: float,
        warmup_steps: int,
        tf32: bool = False,
        optimizer: str = "torch.optim.AdamW",
        **of_optimizer: Any,
    ) -> None:
        require_whole("optim.warmup_steps", warmup_steps, 0)
        if not isinstance(tf32, bool):
            raise ValueError(f"`optim.tf32` must be true or false. Got {tf32!r}.")
        super().__init__()
        self.automatic_optimization = False
        self.network = network
        self.schedule = schedule
        self.optimizer = optimizer, lr, wd, of_optimizer
        self.warmup_steps = warmup_steps
        self.tf32 = tf32
        self.measured_step = -1  # of the last regular measurement; -1 before the first
        self.largest_loss: float | None = None  # of any step since then
        self._recorded: dict[str, Tensor | float] = {}
        self.identity: dict[str, Any] = {}  # of the run: settings, answers and split; kept in checkpoints
        self.configure_optimizers()  # what cannot be is refused now

    def configure_optimizers(self) -> FullBatchOptimizer:
        target, lr, wd, settings = self.optimizer
        return optimizer_of(target, self.parameters(), lr, wd, settings)

    def training_step(self, batch: Pairs, batch_idx: int) -> None:
        """Optimizer steps up to the next measurement, or to a request to stop.

        Losses stay on the device; they are looked at once, when the block ends. The first block
        has no steps at all: the measurement after it is that of the untrained network.
        """
        if self.measured_step < 0:
            return
        optimizer = self.optimizers()
        assert isinstance(optimizer, LightningOptimizer)
        gradients = self.gradients(batch)
        begin = self.global_step
        losses = []
        with tf32_products() if self.tf32 else nullcontext():
            for step in range(begin, self.schedule.following(begin)):
                optimizer.scale_lr(min(step / self.warmup_steps, 1) if self.warmup_steps else 1)
                losses.append(optimizer.step(gradients))
                if self.trainer.should_stop:  # after a step, so that no step is measured twice
                    break
        if losses:
            self._look_at(torch.stack(losses), begin)

    def gradients(self, batch: Pairs) -> Callable[[], Tensor]:
        """What `FullBatchOptimizer.step` asks for: sets all gradients and returns the loss."""

        def closure() -> Tensor:
            self.network.zero_grad()
            loss = cross_entropy(self.network(batch.a, batch.b), batch.answers)
            loss.backward()  # type: ignore[no-untyped-call]
            return loss.detach()

        return closure

    def _look_at(self, losses: Tensor, begin: int) -> None:
        bad = (~losses.isfinite()).nonzero().flatten()
        if len(bad):
            raise DivergedError(begin + int(bad[0]))
        largest = float(losses.max())
        self.largest_loss = largest if self.largest_loss is None else max(self.largest_loss, largest)

    def validation_step(self, batch: AllPairs, batch_idx: int) -> dict[str, Evaluation]:
        """{"evaluation": …}, the evaluation of all p² pairs, which every callback reads."""
        evaluation = Evaluation.over(batch, self.network)
        if not evaluation.objective.isfinite():
            raise DivergedError(self.global_step)
        # the x value of whatever else is logged by `self.log`; by default Lightning would count blocks
        self.log("step", float(self.global_step), batch_size=1)
        return {"evaluation": evaluation}

    def record(self, values: Mapping[str, Tensor | float]) -> None:
        """Log what was measured: to all loggers, in one row, and to `trainer.callback_metrics`.

        What `log_dict` does, which walks a metric object for each value: 45 values take it longer
        than a training step. Here they leave the device together, when the measurement ends.
        """
        self._recorded.update(values)

    def on_validation_epoch_end(self) -> None:
        values = [torch.as_tensor(value, dtype=torch.float64, device=self.device) for value in self._recorded.values()]
        row = dict(zip(self._recorded, torch.stack(values).tolist() if values else [], strict=True))
        self._recorded.clear()
        self.trainer.callback_metrics.update(
            {name: torch.tensor(value, dtype=torch.float64) for name, value in row.items()}
        )
        for logger in self.trainer.loggers:
            logger.log_metrics(row, self.global_step)
        if self.schedule.is_regular(self.global_step):
            self.measured_step = self.global_step
            self.largest_loss = None

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["since_measurement"] = {"measured_step": self.measured_step, "largest_loss": self.largest_loss}
        checkpoint["identity"] = self.identity
        # dropout's, the only randomness after the start
        checkpoint["rng"] = torch.get_rng_state()
        checkpoint["cuda_rng"] = torch.cuda.get_rng_state(self.device) if self.device.type == "cuda" else None

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.measured_step = checkpoint["since_measurement"]["measured_step"]
        self.largest_loss = checkpoint["since_measurement"]["largest_loss"]
        torch.set_rng_state(checkpoint["rng"].cpu())
        if checkpoint["cuda_rng"] is not None and self.device.type == "cuda":
            torch.cuda.set_rng_state(checkpoint["cuda_rng"].cpu(), self.device)
