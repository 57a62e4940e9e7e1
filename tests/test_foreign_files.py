"""Files as other programs save them: their data is read, whatever classes they name, and none of their code is run."""

import pickle
import sys
import types
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from test_layouts import TOLD, ours

from grok.claims.anatomy import Anatomy
from grok.networks import exporting, layouts, subject, weight_files
from grok.networks.unpickling import data_in
from grok.tasks import operations, splits

MARK = Path(__file__).with_name("a_file_that_code_in_a_file_would_write")


@pytest.fixture
def program() -> Iterator[types.ModuleType]:
    """A module of another program: importable while a file is written, gone when it is read."""
    module = types.ModuleType("another_program")
    source = """
import os, torch

class Config:
    def __init__(self, **settings):
        self.__dict__.update(settings)
        self.dtype, self.device = torch.float32, torch.device("cpu")

class Runs:
    def __reduce__(self):
        return os.system, ("touch " + MARK,)

class Imports:
    def __reduce__(self):
        return __import__, ("this",)

class Net(torch.nn.Module):
    def __init__(self, weights):
        super().__init__()
        self.embed, self.unembed, self.pos_embed = (torch.nn.Module() for _ in range(3))
        for name, w in weights.items():
            owner, _, last = name.rpartition(".")
            if owner in ("embed", "unembed", "pos_embed"):
                self.get_submodule(owner).register_parameter(last, torch.nn.Parameter(w))
        self.blocks = torch.nn.ModuleList([torch.nn.Module()])
        self.blocks[0].attn, self.blocks[0].mlp = torch.nn.Module(), torch.nn.Module()
        for name, w in weights.items():
            if name.startswith("blocks.0.") and not name.endswith("mask"):
                part, last = name.split(".")[2:]
                self.blocks[0].get_submodule(part).register_parameter(last, torch.nn.Parameter(w))
"""
    sys.modules[module.__name__] = module
    module.__dict__["MARK"] = str(MARK)
    exec(source, module.__dict__)
    yield module
    sys.modules.pop(module.__name__, None)


def save(file: Path, content: Any, program: types.ModuleType, legacy: bool = False) -> Path:
    torch.save(content, file, _use_new_zipfile_serialization=not legacy)
    sys.modules.pop(program.__name__, None)
    return file


@pytest.mark.parametrize("legacy", [False, True])
def test_code_in_a_file_is_not_run_and_what_stands_beside_it_is_read(
    tmp_path: Path, program: types.ModuleType, legacy: bool
) -> None:
    content = {"model": exporting.exported(ours(), "authors"), "a": program.Runs(), "b": program.Imports()}
    file = save(tmp_path / "x.pth", content, program, legacy)
    with pytest.raises(Exception, match="another_program|Unsupported|posix|Weights only"):
        torch.load(file, weights_only=True)
    found = layouts.checkpoint(file)
    assert not MARK.exists()
    assert program.__name__ not in sys.modules
    assert "this" not in sys.modules
    assert all(torch.equal(found.weights[name], w) for name, w in ours().items())


def test_plain_data_comes_back_as_it_was(tmp_path: Path, program: types.ModuleType) -> None:
    content = {
        "config": program.Config(p=7, act_fn="gelu", nested=program.Config(seed=3)),
        "losses": np.arange(3.0),
        "step": np.int64(5),
        "pairs": {(1): [2, (3, 4)]},
        "view": torch.arange(6).view(2, 3).T,
    }
    found = data_in(save(tmp_path / "x.pth", content, program))
    assert (found["config"]["p"], found["config"]["act_fn"], found["config"]["nested"]["seed"]) == (7, "gelu", 3)
    assert torch.equal(found["losses"], torch.arange(3.0, dtype=torch.float64))
    assert (found["step"], found["pairs"]) == (5, {1: [2, [3, 4]]})
    assert torch.equal(found["view"], torch.arange(6).view(2, 3).T)


def test_a_run_of_the_demo_opens_at_its_end_with_its_own_pairs(tmp_path: Path, program: types.ModuleType) -> None:
    """The dictionary that TransformerLens' grokking demo saves."""
    weights = ours()
    places = splits.train_mask(7, 0.4, 9).flatten().nonzero().flatten()
    content = {
        "model": exporting.exported(weights, "transformer_lens"),
        "config": program.Config(d_vocab=8, d_vocab_out=7, n_heads=3, act_fn="relu", seed=999, n_ctx=3),
        "checkpoints": [exporting.exported(ours(seed=n), "transformer_lens") for n in (1, 2)],
        "checkpoint_epochs": [100, 200],
        "train_losses": [3.0, 0.5],
        "test_losses": [4.0, 4.1],
        "train_indices": places,
    }
    file = save(tmp_path / "demo.pth", content, program)
    opened = subject.of_file(file, TOLD)
    assert torch.equal(opened.train, splits.train_mask(7, 0.4, 9))
    assert all(torch.equal(opened.weights[name], w) for name, w in weights.items())
    assert opened.stored_train_loss == 0.5
    assert list(layouts.states(weight_files.content(file))) == [0]


@pytest.mark.parametrize("epochs", [[0, 100, 200], np.array([0, 100, 200]), torch.tensor([0, 100, 200])], ids=type)
def test_a_whole_trajectory_opens_at_its_last_network(tmp_path: Path, program: types.ModuleType, epochs: Any) -> None:
    """The run that ARENA's exercise hands out: many state dicts and no model."""
    content = {
        "state_dicts": [exporting.exported(ours(seed=n), "authors") for n in range(3)],
        "epochs": epochs,
        "config": program.Config(p=7, frac_train=0.4, seed=2),
        "train_losses": [1.0, 0.5, 0.25],
    }
    found = layouts.checkpoint(save(tmp_path / "full_run_data.pth", content, program))
    assert (found.step, found.train_loss, found.config["seed"]) == (200, 0.25, 2)
    assert torch.equal(found.weights["W_E"], ours(seed=2)["W_E"])


@pytest.mark.parametrize("kind", [list, np.array, torch.tensor])
def test_training_pairs_may_be_a_list_an_array_or_a_tensor(
    tmp_path: Path, program: types.ModuleType, kind: Any
) -> None:
    mask = splits.train_mask(7, 0.4, 5)
    places = kind(mask.flatten().nonzero().flatten().tolist())
    content = {"model": exporting.exported(ours(), "transformer_lens"), "train_indices": places, "x": program.Config()}
    assert torch.equal(subject.of_file(save(tmp_path / "x.pth", content, program), TOLD).train, mask)


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "model.", "network.", "module._orig_mod.model."])
@pytest.mark.parametrize("layout", layouts.LAYOUTS)
def test_what_stands_before_all_names_is_taken_off(tmp_path: Path, layout: str, prefix: str) -> None:
    state = {f"{prefix}{name}": w for name, w in exporting.exported(ours(), layout).items()}
    torch.save({"state_dict": {**state, "criterion.weight": torch.ones(2)}, "epoch": 3}, tmp_path / "x.ckpt")
    found = layouts.checkpoint(tmp_path / "x.ckpt")
    assert found.layout == layout
    assert all(torch.equal(found.weights[name], w) for name, w in ours().items())


def test_a_second_name_of_a_weight_is_no_other_part_and_another_weight_is(tmp_path: Path) -> None:
    state = exporting.exported(ours(), "authors")
    torch.save({**state, "x_embed.W_E": state["embed.W_E"].clone()}, tmp_path / "x.pth")
    assert layouts.checkpoint(tmp_path / "x.pth").layout == "authors"
    torch.save({**state, "x_embed.W_E": state["embed.W_E"] + 1}, tmp_path / "x.pth")
    with pytest.raises(ValueError, match="without LayerNorm and the like. .* has x_embed.W_E."):
        layouts.checkpoint(tmp_path / "x.pth")


def bridge(weights: dict[str, torch.Tensor], inner: bool) -> dict[str, torch.Tensor]:
    """The state dict of TransformerLens 4's native model, by its bridge's names or its inner ones."""
    outer = {"W_E": "embed.weight", "W_pos": "pos_embed.weight", "W_U": "unembed.weight"}
    if inner:
        outer = {"W_E": "tok_embed.weight", "W_pos": "pos.weight", "W_U": "head.weight"}
    state = {outer[name]: weights[name].T if name != "W_pos" else weights[name] for name in outer}
    block, fc = ("layers.0", "fc_") if inner else ("blocks.0", "")
    for part in "QKVO":
        w = weights[f"blocks.0.W_{part}"]
        matrix = w if part == "O" else w.flatten(0, 1)
        state[f"{block}.attn.{part.lower()}.weight"] = matrix
        state[f"{block}.attn.{part.lower()}.bias"] = torch.zeros(len(matrix))
    for part in ("in", "out"):
        state[f"{block}.mlp.{fc}{part}.weight"] = weights[f"blocks.0.W_{part}"]
        state[f"{block}.mlp.{fc}{part}.bias"] = weights[f"blocks.0.b_{part}"]
    return {name: w.clone() for name, w in state.items()}


@pytest.mark.parametrize("inner", [False, True])
def test_a_native_model_of_transformer_lens_4_opens(tmp_path: Path, program: types.ModuleType, inner: bool) -> None:
    content = {"model": bridge(ours(), inner), "config": program.Config(n_heads=3)}
    found = layouts.checkpoint(save(tmp_path / "x.pth", content, program))
    assert found.layout == "bridge"
    assert set(found.weights) == set(ours())
    assert all(torch.equal(found.weights[name], w) for name, w in ours().items())
    torch.save({"model": bridge(ours(), inner)}, tmp_path / "x.pth")
    with pytest.raises(ValueError, match="must say how many heads it has .n_heads in its config."):
        layouts.checkpoint(tmp_path / "x.pth")


def test_a_network_saved_as_an_object_opens(tmp_path: Path, program: types.ModuleType) -> None:
    net = program.Net(exporting.exported(ours(), "authors"))
    found = layouts.checkpoint(save(tmp_path / "x.pth", {"model": net, "epoch": 4}, program))
    assert found.step == 4
    assert all(torch.equal(found.weights[name], w) for name, w in ours().items())


def test_the_seed_of_the_weights_is_not_taken_for_that_of_the_split(tmp_path: Path) -> None:
    p, config = 7, {"p": 7, "frac_train": 0.4, "seed": 3}
    weight_files.save(
        tmp_path / "x.pth", exporting.exported(ours(), "transformer_lens"), config, {"train_losses": [0.125]}
    )
    with pytest.raises(ValueError, match="`data.seed` must be given") as refused:
        subject.of_file(tmp_path / "x.pth", TOLD)
    losses = Anatomy(ours(), operations.answers(operations.addition, p), splits.train_mask(p, 0.4, 0)).evaluation.losses
    for seed in range(5):
        expected = float(losses[splits.train_mask(p, 0.4, seed)].mean())
        assert f"data.train_fraction=0.4 data.seed={seed} would give {expected:.2e}" in str(refused.value)
    assert str(refused.value).endswith("the stored train loss is 1.25e-01.")


def test_a_program_is_no_network(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.pt", "w") as archive:
        for name in ("data.pkl", "constants.pkl", "version"):
            archive.writestr(f"x/{name}", pickle.dumps({}))
    with pytest.raises(ValueError, match="is a TorchScript program; save its state_dict."):
        layouts.checkpoint(tmp_path / "x.pt")
