"""What float32 can promise, against the plain network: restructuring costs a gradient no precision.

Whole trajectories agree in float64 alone. In float32 one of the mainline's two million ReLU inputs comes so
close to 0 within ten steps that two orders of summing put it on either side; from there, plain networks part too.
"""

from collections.abc import Callable
from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from grok.model.cross_entropy import cross_entropy
from grok.model.transformer import Transformer
from grok.tasks.operations import all_pairs
from grok.tasks.splits import train_mask
from grok.training.optimizers import optimizer_of
from reference import plain_logits, plain_loss

SETTINGS = {"betas": (0.9, 0.98), "eps": 1e-8}


class PlainTransformer(Transformer):
    forward = Transformer.plain_forward


class Task(NamedTuple):
    p: int
    a: Tensor
    b: Tensor

    @classmethod
    def of(cls, p: int, fraction: float) -> "Task":
        return cls(p, *(grid[train_mask(p, fraction, 0)] for grid in all_pairs(p)))

    @property
    def answers(self) -> Tensor:
        return (self.a + self.b) % self.p

    def exact(self, weights: dict[str, Tensor]) -> Tensor:
        return plain_loss(plain_logits(weights, self.a, self.b, 1), self.answers)

    def plain(self, weights: dict[str, Tensor]) -> Tensor:
        logits = torch.func.functional_call(PlainTransformer(self.p), weights, (self.a, self.b))
        return plain_loss(logits, self.answers)

    def fast(self, weights: dict[str, Tensor]) -> Tensor:
        logits = torch.func.functional_call(Transformer(self.p), weights, (self.a, self.b))
        return cross_entropy(logits, self.answers)

    def trained(self, steps: int) -> dict[str, Tensor]:
        network = Transformer(self.p)
        optimizer = optimizer_of("torch.optim.AdamW", network.parameters(), 1e-3, 1.0, SETTINGS)

        def closure() -> Tensor:
            optimizer.zero_grad()
            loss = cross_entropy(network(self.a, self.b), self.answers)
            loss.backward()
            return loss.detach()

        for step in range(steps):
            optimizer.scale_lr(min(step / 10, 1))
            optimizer.step(closure)
        return {name: w.detach().clone() for name, w in network.named_parameters()}


def gradients(loss: Callable[[dict[str, Tensor]], Tensor], weights: dict[str, Tensor]) -> Tensor:
    leaves = {name: w.detach().clone().requires_grad_() for name, w in weights.items()}
    return torch.cat([g.double().flatten() for g in torch.autograd.grad(loss(leaves), list(leaves.values()))])


@pytest.mark.parametrize("steps", [0, 150, 1000])
def test_gradients_are_at_most_twice_as_far_from_float64_as_the_plain_networks(steps: int) -> None:
    task = Task.of(23, 0.5)
    weights = task.trained(steps)
    exact = gradients(task.exact, {name: w.double() for name, w in weights.items()})
    error, plain_error = (
        float((gradients(loss, weights) - exact).norm() / exact.norm()) for loss in (task.fast, task.plain)
    )
    assert error <= 2 * plain_error
