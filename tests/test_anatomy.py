"""The network taken apart gives what the network gives, by the loops of reference.py."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from grok.claims.anatomy import Anatomy
from grok.measures.evaluation import Evaluation
from grok.model.transformer import Transformer
from grok.tasks import operations, splits
from reference import plain_logits

OPERATIONS: dict[str, Callable[[Tensor, Tensor, int], Tensor]] = {
    **operations.OPERATIONS,
    "3a + 5b + 2": lambda a, b, p: (3 * a + 5 * b + 2) % p,
}


def opened(p: int = 7, operation: str = "addition", **shape: object) -> tuple[Anatomy, Transformer]:
    network = Transformer(p, **{"d_model": 12, "n_heads": 3, "d_mlp": 20, **shape}).double()  # type: ignore[arg-type]
    for name, w in network.named_parameters():
        if "b_" in name:
            torch.nn.init.normal_(w, generator=torch.Generator().manual_seed(len(name)))
    answers = operations.answers(OPERATIONS[operation], p)
    anatomy = Anatomy(
        dict(network.state_dict()), answers, splits.train_mask(p, 0.4, 1), network.layers[0].activation.__name__
    )
    return anatomy, network


def biased(p: int, n_heads: int = 2, d_head: int = 5, d_model: int = 8, d_mlp: int = 11) -> dict[str, Tensor]:
    """Random weights of a network with every bias that TransformerLens has, d_head of its own and no class for "="."""
    draw = torch.Generator().manual_seed(p)
    heads = (n_heads, d_head, d_model)
    shapes = {
        **{"W_E": (d_model, p + 1), "W_pos": (3, d_model), "W_U": (d_model, p), "b_U": (p,)},
        **{f"blocks.0.{name}": heads for name in ("W_Q", "W_K", "W_V")},
        **{f"blocks.0.{name}": heads[:2] for name in ("b_Q", "b_K", "b_V")},
        **{"blocks.0.W_O": (d_model, n_heads * d_head), "blocks.0.b_O": (d_model,)},
        **{"blocks.0.W_in": (d_mlp, d_model), "blocks.0.b_in": (d_mlp,)},
        **{"blocks.0.W_out": (d_model, d_mlp), "blocks.0.b_out": (d_model,)},
    }
    return {name: 0.6 * torch.randn(shape, generator=draw, dtype=torch.float64) for name, shape in shapes.items()}


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("shape", [{}, {"d_mlp": 0}, {"activation": "gelu"}], ids=["relu", "no MLP", "gelu"])
def test_its_logits_are_those_of_the_plain_network_at_every_pair(shape: dict[str, object], operation: str) -> None:
    anatomy, network = opened(operation=operation, **shape)
    a, b = operations.all_pairs(7)
    a, b = a[anatomy.first][:, anatomy.second], b[anatomy.first][:, anatomy.second]
    plain = plain_logits(dict(network.state_dict()), a.flatten(), b.flatten(), 1, str(shape.get("activation", "relu")))
    torch.testing.assert_close(anatomy.evaluation.logits.flatten(0, 1), plain[:, :7], rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(anatomy.answers, OPERATIONS[operation](a, b, 7))
    if operation in ("addition", "subtraction"):
        grid = operations.all_pairs(7)
        assert torch.equal(anatomy.answers, (grid[0] + grid[1]) % 7)


def test_biases_of_other_peoples_networks_count_at_their_places() -> None:
    weights = biased(5)
    anatomy = Anatomy(weights, operations.answers(operations.addition, 5), splits.train_mask(5, 0.4, 0))
    a, b = (grid.flatten() for grid in operations.all_pairs(5))
    looped = plain_logits(weights, a, b, 1).view(5, 5, 5)
    torch.testing.assert_close(anatomy.evaluation.logits, looped, rtol=1e-12, atol=1e-12)
    for name in [name for name in weights if "b_" in name and not name.endswith("b_K")]:
        without = Anatomy({**weights, name: torch.zeros_like(weights[name])}, anatomy.answers, anatomy.train)
        assert not torch.allclose(without.evaluation.logits, looped), name


@pytest.mark.parametrize("operation", ["addition", "subtraction"])
def test_its_table_measures_what_the_networks_own_table_does(operation: str) -> None:
    anatomy, network = opened(operation=operation)
    expected = Evaluation.of(network, operations.answers(OPERATIONS[operation], 7), splits.train_mask(7, 0.4, 1))
    mine = anatomy.evaluation
    assert expected.neurons is not None
    torch.testing.assert_close(mine.neurons, expected.neurons[anatomy.first][:, anatomy.second], rtol=1e-10, atol=1e-12)
    for rule in ("W_L", "W_E", "neurons", "logits"):
        assert mine.key_frequencies(rule) == expected.key_frequencies(rule)
    for name in ("train_loss", "test_loss", "train_accuracy", "symmetrized_loss", "symmetrized_excluded_loss"):
        torch.testing.assert_close(getattr(mine, name), getattr(expected, name), rtol=1e-10, atol=1e-12)
    for name, loss in expected.key_losses([1, 3]).items():
        torch.testing.assert_close(mine.key_losses([1, 3])[name], loss, rtol=1e-10, atol=1e-12)


def test_parts_put_together_again_are_the_whole() -> None:
    weights = biased(5)
    anatomy = Anatomy(weights, operations.answers(operations.addition, 5), splits.train_mask(5, 0.4, 0))
    assert anatomy.neurons is not None
    assert anatomy.W_L is not None
    torch.testing.assert_close(anatomy.pattern.sum(-1), torch.ones(5, 5, 2, dtype=torch.float64))
    torch.testing.assert_close(anatomy.logits_of(anatomy.middle), anatomy.evaluation.logits)
    torch.testing.assert_close(
        anatomy.skip_logits(anatomy.middle) + anatomy.neurons @ anatomy.W_L.T, anatomy.evaluation.logits
    )
    numbers = weights["W_E"].T[:5]
    a, b = (grid.flatten() for grid in operations.all_pairs(5))
    torch.testing.assert_close(anatomy.logits_from(numbers[a], numbers[b]).view(5, 5, 5), anatomy.evaluation.logits)
