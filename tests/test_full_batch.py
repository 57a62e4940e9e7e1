import copy

import torch

from grok.training.full_batch import FullBatchAdamW

SETTINGS = {"betas": (0.9, 0.98), "eps": 1e-8, "weight_decay": 1.0}


def problem() -> tuple[torch.nn.Linear, torch.Tensor]:
    torch.manual_seed(0)
    return torch.nn.Linear(8, 4), torch.randn(16, 8)


def steps(optimizer: FullBatchAdamW, model: torch.nn.Linear, x: torch.Tensor, rates: list[float]) -> list[float]:
    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = model(x).square().mean()
        loss.backward()
        return loss.detach()

    losses = []
    for rate in rates:
        optimizer.set_lr(rate)
        losses.append(float(optimizer.step(closure)))
    return losses


def test_on_a_cpu_it_is_torchs_adamw_bit_for_bit() -> None:
    rates = [0.0, 1e-3, 2e-3, 2e-3, 1e-3]
    model, x = problem()
    losses = steps(FullBatchAdamW(model.parameters(), 1e-3, **SETTINGS), model, x, rates)
    other, _ = problem()
    optimizer = torch.optim.AdamW(other.parameters(), fused=True, **SETTINGS)
    expected = []
    for rate in rates:
        optimizer.param_groups[0]["lr"] = rate
        optimizer.zero_grad()
        loss = other(x).square().mean()
        loss.backward()
        optimizer.step()
        expected.append(float(loss.detach()))
    assert losses == expected
    assert torch.equal(model.weight, other.weight)


def test_a_state_saved_on_a_gpu_goes_on_on_a_cpu() -> None:
    model, x = problem()
    optimizer = FullBatchAdamW(model.parameters(), 1e-3, **SETTINGS)
    steps(optimizer, model, x, [1e-3] * 3)
    saved = copy.deepcopy(optimizer.state_dict())
    saved["param_groups"][0] |= {"lr": torch.tensor(1e-3), "capturable": True}  # as a GPU's
    other = copy.deepcopy(model)
    resumed = FullBatchAdamW(other.parameters(), 1e-3, **SETTINGS)
    resumed.load_state_dict(saved)
    assert steps(resumed, other, x, [1e-3] * 3) == steps(optimizer, model, x, [1e-3] * 3)
    assert torch.equal(model.weight, other.weight)
