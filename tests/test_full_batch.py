import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch

from grok.training.full_batch import FullBatchOptimizer
from grok.training.optimizers import optimizer_of

BETAS = {"betas": (0.9, 0.98), "eps": 1e-8}
ADAMW: tuple[str, dict[str, Any]] = "torch.optim.AdamW", BETAS
SHIPPED = {
    "adamw": ADAMW,
    "adam": ("torch.optim.Adam", BETAS),
    "sgd": ("torch.optim.SGD", {"momentum": 0.9}),
    "muon": ("grok.training.muon.Muon", {"momentum": 0.95, **BETAS}),
}


def problem() -> tuple[torch.nn.Linear, torch.Tensor]:
    torch.manual_seed(0)
    return torch.nn.Linear(8, 4), torch.randn(16, 8)


def made(model: torch.nn.Module, name: str = "adamw", lr: float = 1e-3, wd: float = 1.0) -> FullBatchOptimizer:
    target, settings = SHIPPED[name]
    return optimizer_of(target, model.parameters(), lr, wd, settings)


def gradients(optimizer: torch.optim.Optimizer, model: torch.nn.Linear, x: torch.Tensor) -> Callable[[], torch.Tensor]:
    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = model(x).square().mean()
        loss.backward()
        return loss.detach()

    return closure


def steps(optimizer: FullBatchOptimizer, model: torch.nn.Linear, x: torch.Tensor, scales: list[float]) -> list[float]:
    losses = []
    for scale in scales:
        optimizer.scale_lr(scale)
        losses.append(float(optimizer.step(gradients(optimizer, model, x))))
    return losses


@pytest.mark.parametrize("name", ["adamw", "adam", "sgd"])
def test_on_a_cpu_it_is_torchs_own_optimizer_bit_for_bit(name: str) -> None:
    scales = [0.0, 1.0, 2.0, 2.0, 1.0]
    model, x = problem()
    losses = steps(made(model, name), model, x, scales)
    other, _ = problem()
    target, settings = SHIPPED[name]
    plain = getattr(torch.optim, target.rpartition(".")[2])(
        other.parameters(), lr=1e-3, weight_decay=1.0, fused=True, **settings
    )
    expected = []
    for scale in scales:
        plain.param_groups[0]["lr"] = 1e-3 * scale
        expected.append(float(plain.step(gradients(plain, other, x))))
    assert losses == expected
    assert torch.equal(model.weight, other.weight)


def test_muon_takes_matrices_and_adamw_the_rest() -> None:
    model, x = problem()
    steps(made(model, "muon"), model, x, [1.0] * 3)
    other, _ = problem()
    muon = torch.optim.Muon([other.weight], lr=1e-3, weight_decay=1.0, momentum=0.95)
    adamw = torch.optim.AdamW([other.bias], lr=1e-3, weight_decay=1.0, fused=True, **BETAS)
    for _ in range(3):
        gradients(muon, other, x)  # both see the gradients of one backward pass
        other.zero_grad()
        other(x).square().mean().backward()
        muon.step()
        adamw.step()
    assert torch.equal(model.weight, other.weight)
    assert torch.equal(model.bias, other.bias)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_optimizer_goes_on_from_its_state_bit_for_bit(name: str) -> None:
    model, x = problem()
    optimizer = made(model, name)
    steps(optimizer, model, x, [1.0] * 3)
    saved = copy.deepcopy(optimizer.state_dict())
    other = copy.deepcopy(model)
    resumed = made(other, name)
    resumed.load_state_dict(saved)
    assert steps(resumed, other, x, [1.0] * 3) == steps(optimizer, model, x, [1.0] * 3)
    assert torch.equal(model.weight, other.weight)


def test_a_state_saved_on_a_gpu_goes_on_on_a_cpu() -> None:
    model, x = problem()
    optimizer = made(model)
    steps(optimizer, model, x, [1.0] * 3)
    saved = copy.deepcopy(optimizer.state_dict())
    saved["param_groups"][0] |= {"lr": torch.tensor(1e-3), "capturable": True}  # as a GPU's
    other = copy.deepcopy(model)
    resumed = made(other)
    resumed.load_state_dict(saved)
    assert steps(resumed, other, x, [1.0] * 3) == steps(optimizer, model, x, [1.0] * 3)
    assert torch.equal(model.weight, other.weight)


@pytest.mark.parametrize("wd", [0.0, 1.0, 5.0])
def test_settings_are_those_configured_here_and_moments_those_of_the_checkpoint(wd: float) -> None:
    model, x = problem()
    optimizer = made(model, wd=1.0)
    steps(optimizer, model, x, [1.0] * 3)
    fork = copy.deepcopy(model)
    forked = made(fork, lr=2e-3, wd=wd)
    forked.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    steps(forked, fork, x, [1.0])
    # the same by hand: moments and count go on, decay and rate are new
    weight = model.weight.detach().double()
    model.zero_grad()
    model(x).square().mean().backward()
    gradient, state = model.weight.grad.double(), optimizer.state_dict()["state"][0]  # type: ignore[union-attr]
    first = 0.9 * state["exp_avg"].double() + 0.1 * gradient
    second = 0.98 * state["exp_avg_sq"].double() + 0.02 * gradient.square()
    count = int(state["step"]) + 1
    update = first / (1 - 0.9**count) / ((second / (1 - 0.98**count)).sqrt() + 1e-8)
    torch.testing.assert_close(fork.weight.double(), weight * (1 - 2e-3 * wd) - 2e-3 * update, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("target", "settings", "sentence"),
    [
        ("torch.optim.Lost", {}, "`optim._target_` must be the import path of a class. Got 'torch.optim.Lost'"),
        ("torch.optim.SGD", {"betas": (0.9, 0.98)}, "`optim` must be settings that torch.optim.SGD takes: .*betas"),
        (
            "torch.optim.Adagrad",
            {"lr_decay": -1},
            "`optim` must be settings that .*Adagrad takes: .*lr_decay",
        ),
    ],
)
def test_what_an_optimizer_does_not_take_is_refused(target: str, settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        optimizer_of(target, problem()[0].parameters(), 1e-3, 1.0, settings)


@pytest.mark.parametrize(("name", "how"), [("adamw", "fused"), ("sgd", "fused"), ("muon", "eager")])
def test_it_says_how_a_step_is_taken(name: str, how: str) -> None:
    assert made(problem()[0], name).how == how
