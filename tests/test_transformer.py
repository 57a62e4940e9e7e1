import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from grok.model.cross_entropy import cross_entropy
from grok.model.transformer import Transformer
from grok.tasks.operations import all_pairs
from grok.tasks.splits import train_mask
from reference import plain_logits, plain_loss

SHAPES = [
    pytest.param({"n_layers": layers, "d_mlp": d_mlp, "activation": activation}, id=f"{layers}-{d_mlp}-{activation}")
    for layers in (1, 2)
    for d_mlp, activation in ((0, "relu"), (24, "relu"), (24, "gelu"))
]

Forward = Callable[[Transformer, Tensor, Tensor], Tensor]
every_forward = pytest.mark.parametrize("forward", [Transformer.forward, Transformer.plain_forward])


def small(p: int = 7, **shape: object) -> Transformer:
    network = Transformer(p, d_model=16, n_heads=2, **shape).double()
    with torch.no_grad():
        for name, w in network.named_parameters():
            if ".b_" in name:  # they start at 0, where a wrong use of them would not show
                w.normal_(generator=torch.Generator().manual_seed(1))
    return network


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("p", [3, 5, 12])
@every_forward
def test_it_is_the_papers_network_in_value_and_gradient(forward: Forward, p: int, shape: dict) -> None:
    network = small(p, **shape)
    a, b = (grid[train_mask(p, 0.6, 0)] for grid in all_pairs(p))
    answers = (a + b) % p
    weights = {name: w.detach().clone().requires_grad_() for name, w in network.named_parameters()}
    expected = plain_logits(weights, a, b, shape["n_layers"], shape["activation"])
    logits = forward(network, a, b)
    torch.testing.assert_close(logits, expected, rtol=1e-10, atol=1e-10)
    cross_entropy(logits, answers).backward()
    plain_loss(expected, answers).backward()
    for name, w in network.named_parameters():
        reference = weights[name].grad
        gradient = torch.zeros_like(w) if w.grad is None else w.grad
        torch.testing.assert_close(
            gradient, torch.zeros_like(w) if reference is None else reference, rtol=1e-10, atol=1e-10
        )


def test_attention_scores_far_apart_do_not_overflow() -> None:
    network = Transformer(7, d_model=16, n_heads=2, d_mlp=24)
    with torch.no_grad():
        network.blocks[0].W_Q *= 12  # scores up to about ±80
    a, b = (grid.flatten() for grid in all_pairs(7))
    weights = {name: w.detach().double() for name, w in network.named_parameters()}
    expected = plain_logits(weights, a, b, 1)
    torch.testing.assert_close(network(a, b).double(), expected, rtol=1e-4, atol=1e-4)


def test_the_initialisation_is_the_papers() -> None:
    network = Transformer(113)
    parameters = dict(network.named_parameters())
    assert sum(w.numel() for w in parameters.values()) == 226_816
    total = sum(float(w.detach().square().sum()) for w in parameters.values())
    assert total == pytest.approx(1781, rel=0.02)
    assert all(not w.any() for name, w in parameters.items() if ".b_" in name)
    a, b = (grid.flatten() for grid in all_pairs(113))
    with torch.no_grad():
        loss = float(cross_entropy(network(a, b), (a + b) % 113))
    assert math.log(114) < loss < 4.85


def test_weights_are_drawn_by_their_seed_alone() -> None:
    torch.manual_seed(1)
    first = Transformer(7, seed=3).state_dict()
    torch.manual_seed(2)
    second, other = Transformer(7, seed=3).state_dict(), Transformer(7, seed=4).state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["W_E"], other["W_E"])


@pytest.mark.parametrize("n_layers", [1, 2])
@every_forward
def test_dropout_differs_between_pairs_and_vanishes_in_evaluation(forward: Forward, n_layers: int) -> None:
    network = Transformer(5, d_model=16, n_heads=2, d_mlp=24, n_layers=n_layers, dropout=0.5)
    same = torch.zeros(6, dtype=torch.long)
    rows = forward(network, same, same)
    assert len({tuple(row.tolist()) for row in rows}) == 6
    network.eval()
    weights = {name: w.detach() for name, w in network.named_parameters()}
    torch.testing.assert_close(forward(network, same, same), plain_logits(weights, same, same, n_layers))


@every_forward
def test_dropout_spares_the_mean_of_what_attention_adds_and_gives_it_the_variance_of_its_draws(
    forward: Forward,
) -> None:
    network, n = small(5, d_mlp=0, dropout=0.3), 20_000
    undropped = network.eval().activations(torch.tensor([1]), torch.tensor([4]))
    added = undropped.residual[0] - network.W_E[:, 5] - network.W_pos[2]
    torch.manual_seed(0)
    draws = forward(network.train(), torch.full((n,), 1), torch.full((n,), 4))
    variance = added.square() @ network.W_U.square() * 0.3 / 0.7  # kept with probability 0.7, then divided by 0.7
    assert ((draws.mean(0) - undropped.logits[0]).abs() < 4 * (variance / n).sqrt()).all()
    torch.testing.assert_close(draws.var(0), variance, rtol=0.05, atol=0)


@every_forward
def test_dropout_at_earlier_positions_is_drawn_for_every_pair_too(forward: Forward) -> None:
    network, n = small(5, n_layers=2, dropout=0.5), 20_000
    with torch.no_grad():
        network.blocks[1].W_O *= 10  # the last position is mostly what it reads from the earlier ones
    a, b = torch.full((n,), 1), torch.full((n,), 4)
    torch.manual_seed(0)
    one, other = forward(network, a, b), forward(network, a, b)
    # a draw shared by the pairs of one pass would move the mean of that pass
    assert ((one.mean(0) - other.mean(0)).abs() < 4 * one.std(0) * (2 / n) ** 0.5).all()


@pytest.mark.parametrize(
    ("shape", "sentence"),
    [
        ({"d_model": 0}, r"`d_model` must be a whole number, 1 or more. Got 0."),
        ({"d_model": 10, "n_heads": 4}, r"`n_heads` must divide `d_model` = 10. Got 4."),
        ({"d_mlp": -1}, r"`d_mlp` must be a whole number, 0 or more. Got -1."),
        ({"activation": "tanh"}, r"`activation` must be one of relu, gelu. Got 'tanh'."),
        ({"dropout": 1.0}, r"`dropout` must be at least 0 and below 1. Got 1.0."),
    ],
)
def test_shapes_that_cannot_be_are_refused(shape: dict, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Transformer(7, **shape)
