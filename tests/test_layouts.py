"""Other people's layouts: there and back again, told apart, and refused in one sentence."""

import json
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from test_anatomy import biased
from torch import Tensor

from grok.claims.anatomy import Anatomy
from grok.model.transformer import Transformer
from grok.networks import exporting, layouts, split_files, subject, weight_files
from grok.tasks import operations, splits

every_layout = pytest.mark.parametrize("layout", layouts.LAYOUTS)
every_suffix = pytest.mark.parametrize("suffix", weight_files.SUFFIXES)


def ours(p: int = 7, **shape: Any) -> dict[str, Tensor]:
    return dict(Transformer(p, **{"d_model": 12, "n_heads": 3, "d_mlp": 20, **shape}).state_dict())


def written(
    tmp_path: Path, weights: dict[str, Tensor], layout: str = "authors", suffix: str = ".pth", **config: Any
) -> Path:
    file = tmp_path / f"network{suffix}"
    weight_files.save(
        file,
        exporting.exported(weights, layout),
        {"p": 7, "frac_train": 0.4, "seed": 3, "data.seed": 3, **config},
        {"epoch": 900},
    )
    return file


TOLD: dict[str, Any] = dict.fromkeys(
    ["data.p", "data.operation", "data.train_fraction", "data.seed", "split", "model.activation"]
)


@every_suffix
@every_layout
@pytest.mark.parametrize("shape", [{}, {"n_layers": 2}, {"d_mlp": 0}, {"n_heads": 1, "d_mlp": 12}], ids=str)
def test_a_network_comes_back_bit_for_bit(tmp_path: Path, shape: dict[str, Any], layout: str, suffix: str) -> None:
    weights = ours(**shape)
    found = layouts.checkpoint(written(tmp_path, weights, layout, suffix))
    assert found.layout == layout
    assert set(found.weights) == set(weights)
    assert all(torch.equal(found.weights[name], w) for name, w in weights.items())
    assert (found.p, found.step, found.config["frac_train"]) == (7, 900, 0.4)


def test_biases_of_transformer_lens_come_back_and_have_no_place_with_the_authors(tmp_path: Path) -> None:
    weights = biased(7)
    found = layouts.checkpoint(written(tmp_path, weights, "transformer_lens"))
    assert set(found.weights) == set(weights)
    assert all(torch.equal(found.weights[name], w) for name, w in weights.items())
    with pytest.raises(
        ValueError, match="The authors' layout has no place for blocks.0.b_Q, which is not zero; use tr"
    ):
        exporting.exported({name: w for name, w in weights.items() if name != "b_U"}, "authors")


def test_shapes_are_those_of_either_layout() -> None:
    weights = ours()
    authors, lens = (exporting.exported(weights, layout) for layout in layouts.LAYOUTS)
    for name, (first, second) in {
        "embed.W_E": ((12, 8), (8, 12)),
        "pos_embed.W_pos": ((3, 12), (3, 12)),
        "blocks.0.attn.W_Q": ((3, 4, 12), (3, 12, 4)),
        "blocks.0.attn.W_O": ((12, 12), (3, 4, 12)),
        "blocks.0.mlp.W_in": ((20, 12), (12, 20)),
        "blocks.0.mlp.W_out": ((12, 20), (20, 12)),
        "unembed.W_U": ((12, 8), (12, 8)),
    }.items():
        assert tuple(authors[name].shape) == first, name
        assert tuple(lens[name].shape) == second, name
    # W_O[d_model, head·d_head + e] by the authors is W_O[head, e, d_model] by TransformerLens
    assert authors["blocks.0.attn.W_O"][5, 2 * 4 + 1] == lens["blocks.0.attn.W_O"][2, 1, 5]
    assert authors["blocks.0.attn.W_Q"][1, 3, 5] == lens["blocks.0.attn.W_Q"][1, 5, 3]


def test_layouts_are_told_apart_where_every_matrix_is_square(tmp_path: Path) -> None:
    weights = ours(p=11, d_model=12, n_heads=1, d_mlp=12)
    for layout in layouts.LAYOUTS:
        found = layouts.checkpoint(written(tmp_path, weights, layout, p=11))
        assert found.layout == layout
        assert all(torch.equal(found.weights[name], w) for name, w in weights.items())


def test_a_bare_state_dict_and_our_own_files_are_read_too(tmp_path: Path) -> None:
    weights = ours()
    torch.save(exporting.exported(weights, "transformer_lens"), tmp_path / "bare.pt")
    torch.save({"state_dict": {f"network.{name}": w for name, w in weights.items()}}, tmp_path / "lightning.pth")
    for name, layout in (("bare.pt", "transformer_lens"), ("lightning.pth", "grok")):
        found = layouts.checkpoint(tmp_path / name)
        assert found.layout == layout
        assert all(torch.equal(found.weights[name], w) for name, w in weights.items())


def test_the_file_tells_its_pairs_and_settings_overrule_it(tmp_path: Path) -> None:
    file = written(tmp_path, ours(), fn_name="subtract", act_type="GeLU")
    found = subject.of_file(file, TOLD)
    assert (found.operation, found.activation, found.step) == ("subtraction", "gelu", 900)
    assert torch.equal(found.train, splits.train_mask(7, 0.4, 3))
    other = subject.of_file(file, {**TOLD, "data.seed": 4, "data.train_fraction": 0.5, "data.operation": "addition"})
    assert other.operation == "addition"
    assert torch.equal(other.train, splits.train_mask(7, 0.5, 4))


def test_a_network_trained_on_unordered_pairs_says_so_in_its_file(tmp_path: Path) -> None:
    file = written(tmp_path, ours(), **{"data.split": "unordered"})
    assert torch.equal(subject.of_file(file, TOLD).train, splits.train_mask(7, 0.4, 3, "unordered"))


def test_the_pairs_may_come_from_a_file_of_their_own(tmp_path: Path) -> None:
    network = written(tmp_path, ours())
    mask = splits.train_mask(7, 0.3, 9)
    places = mask.flatten().nonzero().flatten()
    pairs = [[int(i) // 7, int(i) % 7] for i in places]
    (tmp_path / "pairs.json").write_text(json.dumps(pairs))
    (tmp_path / "places.json").write_text(json.dumps(places.tolist()))
    torch.save(mask, tmp_path / "mask.pt")
    torch.save(torch.tensor(pairs), tmp_path / "pairs.pth")
    weight_files.save(tmp_path / "places.safetensors", {"train_indices": places}, {}, {})
    for name in ("pairs.json", "places.json", "mask.pt", "pairs.pth", "places.safetensors"):
        assert torch.equal(subject.of_file(network, {**TOLD, "split": str(tmp_path / name)}).train, mask), name
    weight_files.save(
        tmp_path / "demo.pth", exporting.exported(ours(), "transformer_lens"), {}, {"train_indices": places}
    )
    assert torch.equal(subject.of_file(tmp_path / "demo.pth", TOLD).train, mask)


@every_layout
def test_several_layers_are_opened_by_the_transformer_itself(tmp_path: Path, layout: str) -> None:
    weights = ours(n_layers=2)
    weights["W_U"] = weights["W_U"][:, :7].clone()  # without "=", as in TransformerLens' demo
    table, parts, bias = subject.of_file(written(tmp_path, weights, layout, fn_name="subtract"), TOLD).opened()
    assert parts is None
    network = Transformer(7, d_model=12, n_heads=3, d_mlp=20, n_layers=2).double()
    network.load_state_dict({**weights, "W_U": torch.nn.functional.pad(weights["W_U"], (0, 1))})
    a, b = (grid.flatten() for grid in operations.all_pairs(7))
    expected = network(a, -b % 7)[:, :7].view(7, 7, 7).detach()  # a + b stands for a - (-b)
    torch.testing.assert_close(table.logits, expected)
    assert table.neurons is not None
    assert table.W_L is not None
    run, last = network.activations(a, -b % 7), network.layers[-1]
    assert run.neurons is not None
    passing = (run.residual - run.neurons @ last.W_out.T - last.b_out) @ network.W_U[:, :7]
    skip = table.logits - table.neurons @ table.W_L.T - bias
    torch.testing.assert_close(skip.flatten(0, 1), passing.detach())


def test_one_layer_of_any_kind_is_opened_with_its_own_numbers(tmp_path: Path) -> None:
    weights = biased(7)
    file = written(tmp_path, weights, "transformer_lens")
    table, parts, bias = subject.of_file(file, TOLD).opened()
    expected = Anatomy(weights, operations.answers(operations.addition, 7), splits.train_mask(7, 0.4, 3))
    assert parts is not None
    assert torch.equal(table.logits, expected.evaluation.logits)
    torch.testing.assert_close(bias, weights["blocks.0.b_out"] @ weights["W_U"] + weights["b_U"])


def test_weights_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    weights = ours()
    weights["W_pos"][1, 2] = torch.nan
    with pytest.raises(ValueError, match="The network must have finite weights. network has others in W_pos."):
        subject.of_file(written(tmp_path, weights), TOLD).opened()


class Runs:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch /nowhere/ran",)


def damaged(tmp_path: Path, kind: str) -> Path:
    file = tmp_path / ("network.safetensors" if "safetensors" in kind else "network.pth")
    weights = exporting.exported(ours(), "authors")
    saved: dict[str, Any] = {
        "list": [1, 2],
        "other tensors": {"weight": torch.ones(2)},
        "lacks": {name: w for name, w in weights.items() if name != "blocks.0.attn.W_K"},
        "half an MLP": {name: w for name, w in weights.items() if not name.endswith("b_out")},
        "shape": {**weights, "blocks.0.mlp.W_in": torch.ones(20, 11)},
        "outputs": {**weights, "unembed.W_U": torch.ones(12, 5)},
        "LayerNorm": {**weights, "blocks.0.ln1.w": torch.ones(12)},
        "integers": {**weights, "pos_embed.W_pos": torch.ones(3, 12, dtype=torch.long)},
    }
    if kind in saved:
        torch.save(saved[kind], file)
    elif kind.startswith("cut short"):
        weight_files.save(file, weights, {}, {})
        file.write_bytes(file.read_bytes()[:900])
    elif kind == "pickle":
        file.write_bytes(pickle.dumps({"model": Runs()}))
    elif kind != "nowhere":
        file.write_text("this is no checkpoint" if kind.startswith("text") else "")
    return file


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        (
            "nowhere",
            "`checkpoint` must be a file of tensors, written whole by torch.save or safetensors. .* is no file.",
        ),
        ("cut short", "`checkpoint` must be a file of tensors, written whole by .*network.pth cannot be read: "),
        ("cut short safetensors", "`checkpoint` must be a file of tensors, .*network.safetensors cannot be read: "),
        ("text", "`checkpoint` must .*network.pth"),
        ("text safetensors", "`checkpoint` must be a file of tensors, .*network.safetensors cannot be read: "),
        ("empty", "`checkpoint` must be a file of tensors, .*network.pth cannot be read: "),
        ("pickle", "`checkpoint` must be a file of tensors, .*network.pth cannot be read: "),
        ("list", "`checkpoint` must be a file of tensors, .* holds a list."),
        ("other tensors", "`checkpoint` must hold a network in the authors' layout or .* holds weight."),
        ("lacks", "`checkpoint` must hold a whole network. .* lacks blocks.0.W_K."),
        ("half an MLP", "`checkpoint` must hold a whole network. .* lacks blocks.0.b_out."),
        ("shape", r"must hold weights that fit together: blocks.0.W_in of shape \(20, 12\), .* has \(20, 11\)."),
        ("outputs", 'must have one output for each number, and perhaps one for "=". .* has 5 for 7 numbers.'),
        ("LayerNorm", "must hold a network like the paper's, without LayerNorm and the like. .* has blocks.0.ln1.w."),
        ("integers", "`checkpoint` must hold floating-point weights. .* has torch.int64 in W_pos."),
    ],
)
def test_a_file_that_is_no_network_is_refused_in_one_sentence(tmp_path: Path, kind: str, sentence: str) -> None:
    file = damaged(tmp_path, kind)
    with pytest.raises(ValueError, match=sentence) as refused:
        layouts.checkpoint(file)
    assert "\n" not in str(refused.value)
    assert not Path("/nowhere/ran").exists()


@pytest.mark.parametrize(
    ("told", "config", "sentence"),
    [
        ({"data.p": 11}, {}, '`data.p` must be 7, since the network embeds 7 numbers and "=". Got 11.'),
        ({}, {"p": 97}, 'p in .*network.pth must be 7, since the network embeds 7 numbers and "=". Got 97.'),
        ({}, {"data.seed": None}, "`data.seed` must be given, or split=<file of training pairs>. .* does not tell on"),
        ({}, {"frac_train": None}, "`data.train_fraction` must be given, or split="),
        ({}, {"fn_name": "rand"}, "`data.operation` must be one of addition, .* Got 'rand'."),
        (
            {"model.activation": "sine"},
            {},
            "`model.activation` must be one of relu, gelu, tanh, quadratic. Got 'sine'.",
        ),
        ({}, {"act_type": "SiLU"}, "`model.activation` must be one of relu, gelu, tanh, quadratic. Got 'silu'."),
        ({"split": "nowhere.json"}, {}, "`split` must be a file of training pairs. nowhere.json is no file."),
    ],
)
def test_what_does_not_fit_the_network_is_refused(tmp_path: Path, told: Any, config: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        subject.of_file(written(tmp_path, ours(), **config), {**TOLD, **told})


@pytest.mark.parametrize(
    ("listed", "sentence"),
    [
        ("[[0, 7]]", "`split` must list pairs of p = 7: pairs .a, b., places a·p . b, or a mask. .* does not."),
        ("[49]", "`split` must list pairs of p = 7"),
        ("[0.5]", "`split` must list pairs of p = 7"),
        ("[]", "`split` must list pairs of p = 7"),
        ("{", "`split` must list pairs .a, b. or places a·p . b. .* does not: "),
        (json.dumps(list(range(49))), "`split` must leave pairs to test on. .* lists all 49."),
    ],
)
def test_a_split_that_is_none_is_refused(tmp_path: Path, listed: str, sentence: str) -> None:
    (tmp_path / "split.json").write_text(listed)
    with pytest.raises(ValueError, match=sentence):
        split_files.split_mask(tmp_path / "split.json", 7)


def test_a_split_of_several_tensors_is_refused(tmp_path: Path) -> None:
    torch.save({"a": torch.ones(1), "b": torch.ones(1)}, tmp_path / "two.pt")
    with pytest.raises(ValueError, match="`split` must be a file of one tensor. .*two.pt holds 2."):
        split_files.split_mask(tmp_path / "two.pt", 7)


def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="`layout` must be one of authors, transformer_lens. Got 'mine'."):
        exporting.exported(ours(), "mine")
    with pytest.raises(ValueError, match="`output` must end in one of .pth, .pt, .safetensors. Got .*network.bin."):
        weight_files.save(tmp_path / "network.bin", {}, {}, {})
