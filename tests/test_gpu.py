"""What only a GPU can show: that a replayed step is the eager step, and float32 there is float32."""

from pathlib import Path

import pytest
import torch
from runs import assert_same, run

from grok.model.cross_entropy import cross_entropy
from grok.model.transformer import Transformer
from grok.tasks.operations import all_pairs
from grok.tasks.splits import train_mask
from grok.training import full_batch, machine
from grok.training.optimizers import optimizer_of

pytestmark = pytest.mark.skipif(
    not torch.cuda.is_available(), reason="NO GPU: CUDA graphs, TF32 and GPU determinism are NOT TESTED here"
)
GPU = torch.device("cuda")


def trained(steps: int, tf32: bool = False, **shape: int) -> tuple[list[float], dict[str, torch.Tensor]]:
    network = Transformer(23, **shape).to(GPU)  # type: ignore[arg-type]
    a, b = (grid[train_mask(23, 0.5, 0)].to(GPU) for grid in all_pairs(23))
    optimizer = optimizer_of("torch.optim.AdamW", network.parameters(), 1e-3, 1.0, {"betas": (0.9, 0.98), "eps": 1e-8})

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = cross_entropy(network(a, b), (a + b) % 23)
        loss.backward()
        return loss.detach()

    losses = []
    for step in range(steps):
        optimizer.scale_lr(min(step / 10, 1))
        losses.append(optimizer.step(closure))
    return torch.stack(losses).tolist(), dict(network.named_parameters())


@pytest.mark.parametrize("shape", [{}, {"n_layers": 2}, {"d_mlp": 0}])
def test_a_replayed_graph_takes_the_steps_that_python_would(
    shape: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    losses, weights = trained(40, **shape)
    monkeypatch.setattr(full_batch, "EAGER_STEPS", 1000)
    eager_losses, eager_weights = trained(40, **shape)
    assert losses == eager_losses
    assert all(torch.equal(w, eager_weights[name]) for name, w in weights.items())


def test_products_are_exact_by_default_and_not_under_tf32() -> None:
    with machine.exact_products(GPU):
        assert machine.product_error(GPU) < machine.EXACT
        if torch.cuda.get_device_capability() >= (8, 0):
            with machine.tf32_products():
                assert machine.product_error(GPU) > machine.EXACT
        assert machine.product_error(GPU) < machine.EXACT


ON_GPU = ["trainer.accelerator=cuda"]


def test_two_runs_agree_bit_for_bit_and_so_does_one_that_was_resumed(tmp_path: Path) -> None:
    one, *_ = run(tmp_path / "one", *ON_GPU)
    other, *_ = run(tmp_path / "other", *ON_GPU)
    assert_same(one, other)
    run(tmp_path / "resumed", *ON_GPU, "trainer.max_steps=20")
    resumed, *_ = run(tmp_path / "resumed", *ON_GPU, f"resume={tmp_path / 'resumed'}")
    assert_same(one, resumed)


def test_a_run_begun_on_a_gpu_goes_on_on_a_cpu(tmp_path: Path) -> None:
    run(tmp_path / "run", *ON_GPU, "trainer.max_steps=20")
    _, summary, _ = run(tmp_path / "run", f"resume={tmp_path / 'run'}")
    assert summary["steps"] == 50
