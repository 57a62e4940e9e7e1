import math
from typing import Any

import pytest
import torch
from lightning import Callback, LightningModule, Trainer

from grok.model.transformer import Transformer
from grok.runs.schedule import Schedule
from grok.tasks.modular import ModularArithmetic
from grok.tasks.splits import train_mask
from grok.training.experiment import LOOP
from grok.training.lit import DivergedError, FullBatchData, FullBatchTraining
from reference import plain_logits, plain_loss

OPTIM: dict[str, Any] = {"lr": 1e-3, "wd": 1.0, "betas": (0.9, 0.98), "eps": 1e-8, "warmup_steps": 10}


class Steps(Callback):
    """Notes the step of each measurement and, if told, the largest loss."""

    def __init__(self) -> None:
        self.steps: list[int] = []
        self.largest: list[float | None] = []

    def on_validation_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        self.steps.append(trainer.global_step)
        self.largest.append(pl_module.largest_loss)  # type: ignore[arg-type]


def fit(network: Transformer, schedule: Schedule, data: FullBatchData, *callbacks: Callback, **optim: Any) -> Trainer:
    trainer = Trainer(
        **LOOP,
        max_steps=schedule.max_steps,
        accelerator="cpu",
        devices=1,
        logger=False,
        enable_checkpointing=False,
        callbacks=list(callbacks),
    )
    trainer.fit(FullBatchTraining(network, schedule, **{**OPTIM, **optim}), data)
    return trainer


def task(p: int = 7) -> FullBatchData:
    return FullBatchData(ModularArithmetic(p, "addition", 0.6, 0))


def small(p: int = 7) -> Transformer:
    return Transformer(p, d_model=16, n_heads=2, d_mlp=32)


@pytest.mark.parametrize("max_steps", [1, 10, 47, 60])
def test_measurements_and_the_last_step_are_exact_optimizer_steps(max_steps: int) -> None:
    seen = Steps()
    trainer = fit(small(), Schedule(20, 5, 10, max_steps), task(), seen)
    assert trainer.global_step == max_steps
    assert seen.steps == sorted({s for s in (0, 5, 10, 20, 40, 60) if s <= max_steps} | {max_steps})


def test_fifty_steps_equal_a_plain_training_loop_in_float64() -> None:
    network = small().double()
    weights = {name: w.detach().clone().requires_grad_() for name, w in network.named_parameters()}
    a, b = train_mask(7, 0.6, 0).nonzero().T
    moments = {name: [torch.zeros_like(w), torch.zeros_like(w)] for name, w in weights.items()}
    for step in range(50):
        loss = plain_loss(plain_logits(weights, a, b, 1), (a + b) % 7)
        gradients = torch.autograd.grad(loss, list(weights.values()))
        rate = 1e-3 * min(step / 10, 1)  # the first update has rate 0
        with torch.no_grad():
            for (name, w), g in zip(weights.items(), gradients, strict=True):
                first, second = moments[name]
                first.mul_(0.9).add_(g, alpha=0.1)
                second.mul_(0.98).add_(g * g, alpha=0.02)
                w.mul_(1 - rate * 1.0)  # decoupled decay, on biases and embeddings too
                size = (second / (1 - 0.98 ** (step + 1))).sqrt() + 1e-8
                w.sub_(rate * first / (1 - 0.9 ** (step + 1)) / size)
    fit(network, Schedule(7, 7, 0, 50), task())
    for name, w in network.named_parameters():
        torch.testing.assert_close(w.detach(), weights[name].detach(), rtol=0, atol=1e-10)


def test_the_largest_loss_is_that_of_the_steps_since_the_last_measurement() -> None:
    network, seen = small(), Steps()
    a, b = train_mask(7, 0.6, 0).nonzero().T
    weights = {name: w.detach().clone() for name, w in network.named_parameters()}
    fit(network, Schedule(20, 5, 10, 30), task(), seen, warmup_steps=0)
    assert seen.largest[0] is None
    at_the_start = plain_loss(plain_logits(weights, a, b, 1), (a + b) % 7)
    assert seen.largest[1] == pytest.approx(float(at_the_start), rel=1e-6)
    assert seen.largest[1:] == sorted(seen.largest[1:], reverse=True)  # type: ignore[type-var]


def test_a_request_to_stop_between_blocks_takes_one_more_step_and_measures_none_twice() -> None:
    class StopBeforeBlock(Callback):
        def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
            trainer.should_stop = trainer.global_step == 20

    seen = Steps()
    trainer = fit(
        small(),
        Schedule(20, 5, 10, 60),
        task(),
        StopBeforeBlock(),
        seen,
    )
    assert seen.steps == [0, 5, 10, 20, 21]
    assert trainer.global_step == 21


def test_the_split_stays_the_authors_inside_the_data_module() -> None:
    data = FullBatchData(ModularArithmetic(113, "addition", 0.3, 0))
    assert len(data.training.answers) == 3830
    assert torch.equal(data.all.train, train_mask(113, 0.3, 0))
    assert torch.equal(data.training.answers, (data.training.a + data.training.b) % 113)


def test_batches_are_moved_to_the_device_once_and_stay_there() -> None:
    data = FullBatchData(ModularArithmetic(5, "addition", 0.5, 0))
    device = torch.device("meta")
    moved = data.transfer_batch_to_device(data.training, device, 0)
    assert moved.a.device == device
    assert data.transfer_batch_to_device(moved, device, 0) is moved


def test_a_loss_that_is_no_number_is_found_with_its_step() -> None:
    class Poison(Callback):
        def on_train_batch_start(self, trainer: Trainer, pl_module: Any, *_: Any) -> None:
            if trainer.global_step == 20:
                with torch.no_grad():
                    pl_module.network.W_E[0, 0] = torch.nan

    with pytest.raises(DivergedError, match="The training loss is no longer finite at step 20;"):
        fit(small(), Schedule(20, 5, 10, 60), task(), Poison())


@pytest.mark.parametrize(
    ("optim", "sentence"),
    [
        ({"lr": 0.0}, "`optim.lr` must be finite and above 0. Got 0.0."),
        ({"wd": -0.1}, "`optim.wd` must be finite and 0 or more. Got -0.1."),
        ({"wd": math.nan}, "`optim.wd` must be finite and 0 or more. Got nan."),
        ({"betas": (0.9, 1.0)}, r"`optim.betas` must be two numbers, each at least 0 and below 1. Got \[0.9, 1.0\]."),
        ({"eps": 0.0}, "`optim.eps` must be finite and above 0. Got 0.0."),
        ({"warmup_steps": -1}, "`optim.warmup_steps` must be a whole number, 0 or more. Got -1."),
        ({"tf32": 1}, "`optim.tf32` must be true or false. Got 1."),
    ],
)
def test_settings_that_cannot_be_are_refused(optim: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        FullBatchTraining(small(), Schedule(20, 5, 10, 60), **{**OPTIM, **optim})
