"""Other people's networks with other parts than the paper's: opened from a file, by what they have."""

import itertools
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from rich.console import Console
from test_anatomy import biased
from test_layouts import TOLD, ours
from torch import Tensor

import grok
from grok.analyze import report
from grok.import_run import import_run
from grok.model.transformer import Transformer
from grok.networks import exporting, layouts, subject
from grok.networks.other_transformer import ORDERS, OtherTransformer
from grok.tasks import operations

Weights = dict[str, Tensor]


def circles(p: int, keys: tuple[int, ...]) -> Tensor:
    """cos and sin of 2πk n/p, two rows a frequency, a column a number."""
    angles = 2 * math.pi / p * torch.arange(p, dtype=torch.float64)
    return torch.stack([f(k * angles) for k in keys for f in (torch.cos, torch.sin)])


def quadratic(p: int, keys: tuple[int, ...], phases: int = 8) -> Weights:
    """An adder: Σ_φ cos(w(a)+φ) + cos(w(b)+φ), squared, times cos(w c + 2φ), leaves cos w(a+b-c) of each frequency.

    (cos x + cos y)² has cos(x + y) = cos(w(a+b) + 2φ) as its only product term that survives the sum over φ.
    """
    turns = [(i, 2 * math.pi * j / phases) for i, _ in enumerate(keys) for j in range(phases)]
    W_in = torch.zeros(len(turns), 2 * len(keys), dtype=torch.float64)
    W_U = torch.zeros(len(turns), p, dtype=torch.float64)
    waves = circles(p, keys)
    for n, (i, phase) in enumerate(turns):
        W_in[n, 2 * i], W_in[n, 2 * i + 1] = math.cos(phase), -math.sin(phase)
        W_U[n] = math.cos(2 * phase) * waves[2 * i] - math.sin(2 * phase) * waves[2 * i + 1]
    return {"W_E": waves, "W_in": W_in, "W_U": 40 / len(keys) * W_U}


def block(d: int, p: int, reads: int, writes: int, looks_at_a: bool) -> Weights:
    """Attention that adds the d numbers from `reads` of each seen position at `writes`: evenly, or from a alone."""
    Q, K, V = (torch.zeros(1, d, 3 * d + 2 + p, dtype=torch.float64) for _ in range(3))
    W_O = torch.zeros(3 * d + 2 + p, d, dtype=torch.float64)
    V[0, :, reads : reads + d] = torch.eye(d)
    W_O[writes : writes + d] = torch.eye(d)
    if looks_at_a:
        Q[0, 0, 3 * d + 1], K[0, 0, 3 * d] = 100 * d**0.5, 1
    return {"W_Q": Q, "W_K": K, "W_V": V, "W_O": W_O}


def two_tokens(p: int, keys: tuple[int, ...], layers: int = 1) -> Weights:
    """An adder that reads its answer at b: neurons of cos(w a + φ) + cos(w b + φ), all of one weight.

    One layer adds the embeddings up where attention is constant, and sees a alone where it is softmax. Of two layers
    the first adds them up at a, which sees b only where attention goes both ways, and the second fetches the sum.
    """
    mlp, d = quadratic(p, keys, 16), 2 * len(keys)
    width, neurons = 3 * d + 2 + p, len(mlp["W_in"])
    W_E, W_pos, W_U = (torch.zeros(*shape, dtype=torch.float64) for shape in ((width, p), (2, width), (width, p)))
    W_in = torch.zeros(neurons, width, dtype=torch.float64)
    W_E[:d], W_U[-p:], W_in[:, 2 * d : 3 * d] = mlp["W_E"], torch.eye(p), mlp["W_in"]
    W_pos[0, 3 * d] = W_pos[1, 3 * d + 1] = 1
    blocks = [block(d, p, 0, d, looks_at_a=False), block(d, p, d, 2 * d, looks_at_a=True)]
    if layers == 1:
        blocks = [block(d, p, 0, 2 * d, looks_at_a=True)]
    W_out = torch.zeros(width, neurons, dtype=torch.float64)
    W_out[-p:] = mlp["W_U"].T
    blocks[-1] |= {"W_in": W_in, "b_in": torch.zeros(neurons, dtype=torch.float64)}
    blocks[-1] |= {"W_out": W_out, "b_out": torch.zeros(width, dtype=torch.float64)}
    named = {f"blocks.{i}.{name}": w for i, each in enumerate(blocks) for name, w in each.items()}
    return {"W_E": W_E, "W_pos": W_pos, "W_U": W_U, **named}


def saved(file: Path, weights: Weights, layout: str | None = None, **beside: Any) -> Path:
    state = exporting.exported(weights, layout) if layout else weights
    torch.save({"model": {name: w.clone() for name, w in state.items()}, **beside}, file)
    return file


def analysed(file: Path, *settings: str) -> dict[str, Any]:
    split = ["data.train_fraction=0.6", "data.seed=0", "figures=none"]
    return report([str(file), *split, *settings], Console(quiet=True))


def notes(found: dict[str, Any]) -> dict[str, str]:
    """Why claims do not apply, by their names."""
    return {row["id"]: row["note"] for row in found["claims"] if row["value"] is None}


def by_one_pair(weights: Weights, a: int, b: int, order: str, causal: bool, rate: float) -> list[float]:
    """Logits of one pair, number by number: every head, position and neuron in a loop of its own."""
    p = weights["W_E"].shape[1] - ("=" in order)
    tokens = [{"a": a, "b": b, "=": -1}[token] for token in order.split()]
    x = [weights["W_E"][:, token] + weights["W_pos"][i] for i, token in enumerate(tokens)]
    for layer in range(layouts.layers(weights)):
        w = {
            name: weights.get(f"blocks.{layer}.{name}", torch.zeros(1))
            for name in ("W_Q", "W_K", "W_V", "W_O", "b_Q", "b_K", "b_V", "b_O", "W_in", "b_in", "W_out", "b_out")
        }
        heads, d_head = w["W_Q"].shape[:2]
        b_Q, b_K, b_V = (w[name].expand(heads, d_head) for name in ("b_Q", "b_K", "b_V"))
        after = []
        for i, here in enumerate(x):
            added = w["b_O"].clone().expand_as(here)
            for h in range(heads):
                seen = range(i + 1 if causal else len(x))
                query = w["W_Q"][h] @ here + b_Q[h]
                scores = [float(query @ (w["W_K"][h] @ x[j] + b_K[h])) / d_head**0.5 for j in seen]
                weight = [math.exp(score - max(scores)) for score in scores]
                for j, e in zip(seen, weight, strict=True):
                    value = w["W_V"][h] @ x[j] + b_V[h]
                    added = added + (rate * e / sum(weight) + 1 - rate) * (
                        w["W_O"][:, h * d_head : (h + 1) * d_head] @ value
                    )
            after.append(here + added)
        x = [here + w["W_out"] @ (w["W_in"] @ here + w["b_in"]).clamp_min(0) + w["b_out"] for here in after]
    logits = x[-1] @ weights["W_U"] + weights.get("b_U", torch.zeros(1))
    return [float(logit) for logit in logits[:p]]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("rate", [1.0, 0.3, 0.0])
def test_every_reading_is_what_a_loop_over_numbers_gives(order: str, causal: bool, rate: float) -> None:
    p, one = 5, {name: w.double() / 4 for name, w in biased(5).items()}
    weights = {**one, **{name.replace("s.0", "s.1"): w.flip(-1) for name, w in one.items() if "s.0" in name}}
    if "=" not in order:
        weights |= {"W_E": weights["W_E"][:, :p], "W_pos": weights["W_pos"][:2]}
    network = OtherTransformer(weights, p, order, "causal" if causal else "bidirectional", rate)
    a, b = (grid.flatten() for grid in operations.all_pairs(p))
    expected = [by_one_pair(weights, x, y, order, causal, rate) for x, y in itertools.product(range(p), repeat=2)]
    torch.testing.assert_close(network(a, b), torch.tensor(expected, dtype=torch.float64))


@pytest.mark.parametrize("n_layers", [1, 2])
def test_read_as_the_papers_network_it_is_the_papers_network(n_layers: int) -> None:
    network = Transformer(7, d_model=12, n_heads=3, d_mlp=20, n_layers=n_layers).double()
    a, b = (grid.flatten() for grid in operations.all_pairs(7))
    other = OtherTransformer({name: w.detach() for name, w in network.state_dict().items()}, 7)
    run, expected = other.activations(a, b), network.activations(a, b)
    torch.testing.assert_close(run.logits, expected.logits[:, :7].detach())
    torch.testing.assert_close(run.neurons, expected.neurons, check_dtype=True)
    torch.testing.assert_close(run.residual, expected.residual.detach())
    torch.testing.assert_close(other.neuron_logit_map(), network.neuron_logit_map(), rtol=1e-12, atol=1e-12)


def test_many_pairs_are_answered_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    weights = {name: w.double() for name, w in ours().items()}
    a, b = (grid.flatten() for grid in operations.all_pairs(7))
    whole = OtherTransformer(weights, 7)(a, b)
    monkeypatch.setattr("grok.networks.other_transformer.PAIRS_AT_ONCE", 10)
    torch.testing.assert_close(OtherTransformer(weights, 7)(a, b), whole)


SPLIT = {"frac_train": 0.5, "seed": 0}
PIZZA = ("model.attention_rate=0", "model.attention=bidirectional")


@pytest.mark.parametrize(("p", "keys"), [(7, (2,)), (11, (2, 5)), (13, (1, 4, 6))])
@pytest.mark.parametrize("layout", ["authors", "transformer_lens"])
def test_a_two_token_network_with_a_vocabulary_of_p_is_opened(
    tmp_path: Path, p: int, keys: tuple[int, ...], layout: str
) -> None:
    file = saved(tmp_path / "pizza.pt", two_tokens(p, keys), layout)
    found = analysed(file, *PIZZA)
    assert (found["p"], found["accuracy"], found["key_frequencies"]) == (p, 1.0, list(keys))
    assert found["warnings"] == []
    assert set(found["neurons"]["frequency"]) == set(keys)
    assert found["losses"]["restricted sum"]["all"] < 1e-3
    assert notes(found)["least_head_explained"] == 'does not apply: it has no "="'
    assert found["heads"] == []


def test_two_layers_need_attention_to_both_sides(tmp_path: Path) -> None:
    file = saved(tmp_path / "both.pt", two_tokens(11, (2, 5), layers=2), "authors")
    assert analysed(file, "model.attention=bidirectional")["accuracy"] == 1.0
    assert analysed(file)["accuracy"] < 0.2


@pytest.mark.parametrize("columns", [11, 12, 22])
def test_of_two_tokens_the_modulus_may_be_typed_and_b_embedded_apart(tmp_path: Path, columns: int) -> None:
    weights = two_tokens(11, (2, 5))
    W_E, W_U = weights["W_E"], weights["W_U"]
    spare = torch.zeros(len(W_E), columns - 11, dtype=torch.float64)
    weights |= {"W_E": torch.cat([W_E, W_E if columns == 22 else spare], 1), "W_U": torch.cat([W_U, spare], 1)}
    file = saved(tmp_path / "two.pt", weights, "authors")
    found = analysed(file, *PIZZA, "data.p=11")
    assert (found["p"], found["accuracy"], found["key_frequencies"]) == (11, 1.0, [2, 5])
    if columns == 22:
        weights["W_E"][:, 11:] = weights["W_E"][:, 11:].flip(1)
        assert analysed(saved(tmp_path / "x.pt", weights, "authors"), *PIZZA, "data.p=11")["accuracy"] < 0.5


def test_three_tokens_may_embed_b_apart_and_then_have_no_parts_of_the_papers(tmp_path: Path) -> None:
    weights = ours()
    table, *_ = subject.of_file(saved(tmp_path / "x.pt", weights, "authors", config=SPLIT), TOLD).opened()
    W_E, W_U = weights["W_E"], weights["W_U"]
    apart = {"W_E": torch.cat([W_E[:, :7], W_E], 1), "W_U": torch.cat([W_U[:, :7], W_U], 1)}
    file = saved(tmp_path / "x.pt", {**weights, **apart}, "authors", config={**SPLIT, "C": 7, "diff_vocab": 1})
    again, parts, _ = subject.of_file(file, TOLD).opened()
    torch.testing.assert_close(again.logits, table.logits)
    assert parts is None
    assert notes(analysed(file))["self_attention"] == "does not apply: it embeds the numbers a and b apart"


def test_a_file_of_the_pizza_paper_tells_its_reading_beside_it(tmp_path: Path) -> None:
    file = saved(tmp_path / "model_18c9.pt", two_tokens(11, (2, 5)), "authors")
    config = {"C": 11, "attn_coeff": 0.0, "act_fn": "ReLU", "attention_dir": "casual", "frac": 0.8}
    (tmp_path / "config_18c9.json").write_text(json.dumps(config))
    assert analysed(file)["accuracy"] == 1.0
    (tmp_path / "config_18c9.json").write_text("{")
    with pytest.raises(ValueError, match="config_18c9.json must hold the settings of model_18c9.pt as JSON. It does n"):
        analysed(file)


def of_pizza_linear(w: Weights) -> Weights:
    return {"embed.weight": w["W_E"].T, "l1.weight": w["W_in"], "l1.bias": w["b_in"], "unembed.weight": w["W_U"].T}


def with_two_embeddings(w: Weights) -> Weights:
    return {"embed1.weight": w["W_E"].T, "embed2.weight": w["W_E"].T} | {
        name: x for name, x in of_pizza_linear(w).items() if name != "embed.weight"
    }


def of_groups(w: Weights) -> Weights:
    return {"W_x": w["W_E"].T, "W_y": w["W_E"].T, "W": torch.cat([w["W_in"].T] * 2), "W_U": w["W_U"]}


def of_one_hots(w: Weights) -> Weights:
    return {"fc1.weight": torch.cat([w["W_in"] @ w["W_E"]] * 2, 1), "fc2.weight": w["W_U"].T}


def of_embedding_and_two_layers(w: Weights) -> Weights:
    return {"embed.weight": w["W_E"].T, "fc1.weight": torch.cat([w["W_in"]] * 2, 1), "fc2.weight": w["W_U"].T}


def of_authors_names(w: Weights) -> Weights:
    return {
        "embed.W_E": w["W_E"],
        "mlp.W_in": w["W_in"],
        "mlp.b_in": w["b_in"],
        "mlp.W_out": w["W_U"].T,
        "mlp.b_out": torch.zeros(w["W_U"].shape[1]),
        "unembed.W_U": torch.eye(w["W_U"].shape[1]),
    }


MLPS = [of_pizza_linear, with_two_embeddings, of_groups, of_one_hots, of_embedding_and_two_layers, of_authors_names]


@pytest.mark.parametrize("theirs", MLPS)
@pytest.mark.parametrize(("p", "keys"), [(7, (2,)), (11, (2, 5)), (12, (1, 5)), (13, (1, 4, 6))])
def test_a_network_without_attention_is_opened_under_its_own_names(
    tmp_path: Path, theirs: Callable[[Weights], Weights], p: int, keys: tuple[int, ...]
) -> None:
    weights = quadratic(p, keys)
    weights["b_in"] = torch.zeros(len(weights["W_in"]), dtype=torch.float64)
    state = {f"module.{name}": w.contiguous().double() for name, w in theirs(weights).items()}
    found = analysed(saved(tmp_path / "mlp.pth", state), "model.activation=quadratic")
    assert (found["p"], found["accuracy"], found["key_frequencies"]) == (p, 1.0, list(keys))
    assert set(found["neurons"]["frequency"]) == set(keys)
    assert found["losses"]["restricted sum"]["all"] < 1e-3
    assert found["losses"]["excluded sum"]["train"] > 0.9 * math.log(p)
    values = {row["id"]: row["value"] for row in found["claims"]}
    if p % 2:  # elsewhere some gradients are zero
        assert values["gradient_symmetricity"] == pytest.approx(1)  # it treats a and b alike
    why = notes(found)
    assert why["least_head_explained"] == "does not apply: it has no attention"
    assert why["mlp_skip_zero_loss_ratio"] == "does not apply: it has no skip past its MLP"


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        (
            {"l2.weight": torch.ones(4, 4)},
            "one hidden layer and outputs, where it has no attention. .* has l2.weight as",
        ),
        ({"l1.weight": torch.ones(6, 3)}, r"W_in of shape \(6, 4\), as our names go. .* has \(6, 3\)."),
        ({"embed.weight": torch.ones(7, 4).long()}, "must hold floating-point weights. .* has torch.int64 in W_E."),
        ({"embed.weight": None}, "must hold a whole network. .* lacks W_E."),
    ],
)
def test_a_network_without_attention_that_is_not_whole_is_refused(
    tmp_path: Path, state: dict[str, Tensor | None], sentence: str
) -> None:
    whole = {"embed.weight": torch.ones(7, 4), "l1.weight": torch.ones(6, 4), "unembed.weight": torch.ones(7, 6)}
    if "embed.weight" in state and state["embed.weight"] is None:
        whole["fc1.weight"] = whole.pop("l1.weight")
    torch.save({name: w for name, w in {**whole, **state}.items() if w is not None}, tmp_path / "x.pt")
    with pytest.raises(ValueError, match=sentence):
        layouts.checkpoint(tmp_path / "x.pt")


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        (
            {"model.tokens": "a b ="},
            "`model.tokens` must be one of 'a b', since the network has 2 positions. Got 'a b ='.",
        ),
        ({"model.attention": "casual"}, "`model.attention` must be one of causal, bidirectional. Got 'casual'."),
        ({"model.attention_rate": 1.5}, "`model.attention_rate` must lie between 0 and 1. Got 1.5."),
        ({"model.attention_rate": "pizza"}, "`model.attention_rate` must lie between 0 and 1. Got 'pizza'."),
        ({"model.activation": "sine"}, "`model.activation` must be one of relu, gelu, tanh, quadratic. Got 'sine'."),
        ({"data.p": 7}, "`data.p` must be 11, since the network embeds 11 numbers. Got 7."),
    ],
)
def test_a_reading_that_cannot_be_is_refused(tmp_path: Path, told: dict[str, Any], sentence: str) -> None:
    file = saved(tmp_path / "x.pt", two_tokens(11, (2, 5)), "authors")
    with pytest.raises(ValueError, match=sentence):
        subject.of_file(file, {**TOLD, **told})


def test_a_network_without_attention_takes_no_setting_of_it(tmp_path: Path) -> None:
    file = saved(tmp_path / "x.pt", quadratic(7, (1,)))
    with pytest.raises(ValueError, match="`model.attention_rate` is for networks with attention. This one has none."):
        subject.of_file(file, {**TOLD, "model.attention_rate": 0.0})


def test_four_positions_are_refused(tmp_path: Path) -> None:
    file = saved(tmp_path / "x.pt", {**ours(), "W_pos": torch.ones(4, 12)})
    with pytest.raises(ValueError, match='must read the tokens a and b, and perhaps "=". .* reads 4.'):
        layouts.checkpoint(file)


def warned(file: Path, *settings: str) -> str:
    (warning,) = (x for x in analysed(file, *settings)["warnings"] if "read wrongly" in x)
    return str(warning)


def test_a_pizza_read_as_a_clock_is_told_so_with_every_reading_that_fits(tmp_path: Path) -> None:
    file = saved(tmp_path / "pizza.pt", two_tokens(11, (2, 5)), "authors")
    sentence = warned(file)
    assert " as model.attention_rate=0: it is probably read wrongly." in sentence
    assert "gelu" not in sentence  # which fits too, with more changes
    wrong = warned(file, "data.operation=subtraction")
    assert " as model.attention_rate=0 with data.operation=addition: " in wrong


def test_attention_read_one_way_is_told_where_it_must_go_both(tmp_path: Path) -> None:
    file = saved(tmp_path / "both.pt", two_tokens(11, (2, 5), layers=2), "authors")
    assert " as model.attention=bidirectional: " in warned(file)


def test_the_order_of_tokens_is_told(tmp_path: Path) -> None:
    """The same adder with a first token that nobody looks at, and above which stands another answer."""
    two, p = two_tokens(11, (2, 5)), 11
    equals = torch.zeros(len(two["W_E"]), 1, dtype=torch.float64)
    two["W_pos"] = torch.cat([equals.T, two["W_pos"]])
    equals[-1] = 1000
    two["W_E"] = torch.cat([two["W_E"], equals], 1)
    file = saved(tmp_path / "first.pt", two, "authors")
    assert " as model.tokens='= a b': " in warned(file, "model.attention_rate=0")
    found = analysed(file, "model.tokens='= a b'", "model.attention_rate=0")
    assert (found["p"], found["accuracy"], found["key_frequencies"]) == (p, 1.0, [2, 5])
    assert notes(found)["least_head_explained"] == 'does not apply: it does not read its answer at "="'


def test_the_activation_of_a_network_without_attention_is_told(tmp_path: Path) -> None:
    weights = quadratic(11, (2, 5))
    weights["b_in"] = torch.full((len(weights["W_in"]),), 3.0, dtype=torch.float64)  # where relu is linear
    assert " as model.activation=quadratic: " in warned(saved(tmp_path / "mlp.pt", weights))


def test_an_untrained_network_is_suspected_of_nothing(tmp_path: Path) -> None:
    for name, weights in {"two": two_tokens(11, (2, 5)), "mlp": quadratic(11, (2, 5))}.items():
        generator = torch.Generator().manual_seed(1)
        random = {key: torch.randn(w.shape, generator=generator) for key, w in weights.items()}
        found = analysed(saved(tmp_path / f"{name}.pt", random))
        assert not [x for x in found["warnings"] if "read wrongly" in x]
        assert not [row for row in found["claims"] if row["holds"] and row["untrained_holds"]]


def test_a_reading_that_answers_is_told_where_another_has_the_stored_loss(tmp_path: Path) -> None:
    weights = quadratic(13, (1, 4, 6))
    right = analysed(saved(tmp_path / "x.pt", weights), "model.activation=quadratic")["losses"]["original"]["train"]
    file = saved(tmp_path / "x.pt", weights, train_losses=[2.0, right])
    read = analysed(file, "model.activation=gelu")
    (warning,) = (x for x in read["warnings"] if "stored one" in x)
    assert warning.endswith(": the network is probably read wrongly. model.activation=quadratic would give that.")
    assert analysed(file, "model.activation=quadratic")["warnings"] == []


@pytest.mark.parametrize(
    ("losses", "warns"),
    [([3.0, 1e-7, 1e-7, 2e-2], True), ([3.0, 1e-7, 1e-7, 1e-6], False), ([3.0, 0.5, 1.2], False), ([], False)],
)
def test_a_network_inside_a_slingshot_is_told(tmp_path: Path, losses: list[float], warns: bool) -> None:
    file = saved(tmp_path / "x.pt", two_tokens(11, (2, 5)), "authors", train_losses=losses)
    found = [x for x in analysed(file, *PIZZA)["warnings"] if "slingshot" in x]
    assert bool(found) == warns
    if warns:
        sentence = "The stored train losses end at 2.00e-02, 200,000 times their least, 1.00e-07: the network may be"
        assert found == [f"{sentence} inside a slingshot."]


@pytest.mark.parametrize(
    ("weights", "config", "why"),
    [
        (two_tokens(7, (2,)), {"attn_coeff": 0.0}, 'it has no "="'),
        (ours(), {"attn_coeff": 0.5}, "its attention is a constant in part"),
        (
            ours(n_layers=2),
            {"attention_dir": "bidirectional"},
            "it has more than one layer, and attention to both sides",
        ),
    ],
)
def test_a_trajectory_of_other_networks_is_not_imported(
    tmp_path: Path, weights: Weights, config: dict[str, Any], why: str
) -> None:
    file = saved(tmp_path / "x.pt", weights, "authors", config={"frac_train": 0.5, "seed": 0, **config})
    with pytest.raises(ValueError, match=f"networks like the paper's. x is another: {why}; grok.analyze opens it by"):
        import_run([str(file), f"output={tmp_path / 'run'}"])
    assert not (tmp_path / "run").exists()


def test_a_notebook_opens_them_too(tmp_path: Path) -> None:
    file = saved(tmp_path / "pizza.pt", two_tokens(11, (2, 5)), "authors")
    network = grok.open_network(
        file, train_fraction=0.6, seed=0, tokens="a b", attention="bidirectional", attention_rate=0
    )
    assert (network.p, network.key_frequencies) == (11, [2, 5])
    assert float(network.evaluation.train_accuracy) == 1
    assert network.figure("circles").axes
    with pytest.raises(ValueError, match="pizza has no 'attention'."):
        network.figure("attention")


@pytest.mark.parametrize("theirs", [of_pizza_linear, None])
def test_pictures_are_drawn_of_what_there_is(tmp_path: Path, theirs: Callable[[Weights], Weights] | None) -> None:
    weights = {**quadratic(11, (2, 5)), "b_in": torch.zeros(16, dtype=torch.float64)}
    file = (
        saved(tmp_path / "x.pt", theirs(weights))
        if theirs
        else saved(tmp_path / "x.pt", two_tokens(11, (2, 5)), "authors")
    )
    reading = ["model.activation=quadratic"] if theirs else [*PIZZA]
    report(
        [str(file), "data.train_fraction=0.6", "data.seed=0", *reading, f"output={tmp_path / 'out'}"],
        Console(quiet=True),
    )
    drawn = {path.stem for path in (tmp_path / "out").glob("*.png")}
    assert {"norms", "circles", "logit_spectrum", "neurons", "histogram", "ablations"} == drawn


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        ([2.0, torch.tensor(0.5)], [2.0, 0.5]),
        (torch.tensor([2.0, 0.5]), [2.0, 0.5]),
        ([[0, 2.0], [1, 0.5]], []),
        ("none", []),
        ([], []),
    ],
)
def test_stored_losses_are_numbers_or_none(tmp_path: Path, stored: Any, read: list[float]) -> None:
    found = layouts.checkpoint(saved(tmp_path / "x.pt", ours(), "authors", train_losses=stored))
    assert found.train_losses == read
    assert found.train_loss == (read[-1] if read else None)


def test_several_files_are_one_table(tmp_path: Path) -> None:
    files = [saved(tmp_path / f"model_{k}.pt", two_tokens(11, (k,)), "authors") for k in (2, 3)]
    (tmp_path / "broken.pt").write_text("")
    reading = ["data.train_fraction=0.6", "data.seed=0", *PIZZA, f"output={tmp_path}"]
    report([*map(str, files), str(tmp_path / "broken.pt"), *reading], Console(quiet=True))
    table = pd.read_csv(tmp_path / "claims.csv")
    assert set(table["run"]) == {"model_2.pt", "model_3.pt"}
    assert (table["accuracy"] == 1).all()
