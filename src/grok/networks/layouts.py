"""Other people's checkpoints: the authors' released layout and TransformerLens' (up to version 3), read and written.

Source of the shapes: the authors' code; `transformer_lens.HookedTransformer`. Weights get the names and
shapes of `grok.transformer`, `blocks.0.W_Q` and so on, where b_Q, b_K, b_V, b_O and b_U stand beside them
when they are not zero. W_U keeps the outputs it has: p numbers, or p and "=".
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from grok.networks import weight_files

LAYOUTS = ("authors", "transformer_lens")
OUTER = {"W_E": "embed.W_E", "W_pos": "pos_embed.W_pos", "W_U": "unembed.W_U", "b_U": "unembed.b_U"}
ATTENTION = ("W_Q", "W_K", "W_V", "W_O", "b_Q", "b_K", "b_V", "b_O")
MLP = ("W_in", "b_in", "W_out", "b_out")
BUFFERS = ("mask", "IGNORE")  # what attention layers keep beside their weights
EXTRA_BIASES = ("b_Q", "b_K", "b_V", "b_O", "b_U")  # which only TransformerLens has


@dataclass(frozen=True)
class Checkpoint:
    """One network from a file.

    Attributes:
        weights: by the names of `grok.transformer`.
        layout: "authors", "transformer_lens" or "grok".
        config: what the file says of the training: p, frac_train, seed, fn_name, act_type and others.
        beside: everything else in the file, such as train_losses and epoch.
    """

    weights: dict[str, Tensor]
    layout: str
    config: dict[str, Any] = field(default_factory=dict)
    beside: dict[str, Any] = field(default_factory=dict)

    @property
    def p(self) -> int:
        return self.weights["W_E"].shape[1] - 1

    @property
    def n_layers(self) -> int:
        return layers(self.weights)

    @property
    def step(self) -> int | None:
        found = self.beside.get("epoch", self.beside.get("step"))
        return int(found) if isinstance(found, int | float | str) and str(found).isdigit() else None

    @property
    def train_loss(self) -> float | None:
        """The last train loss that the file tells."""
        found = self.beside.get("train_losses")
        if isinstance(found, Tensor):
            found = found.flatten().tolist()
        return float(found[-1]) if isinstance(found, list) and found else None


def layers(weights: Mapping[str, Tensor]) -> int:
    """The number of blocks."""
    return 1 + max((int(m[1]) for name in weights if (m := re.match(r"blocks\.(\d+)\.", name))), default=-1)


def kind_of(name: str) -> str:
    """W_Q of blocks.0.W_Q."""
    return name.rsplit(".", maxsplit=1)[-1]


# --- reading


def checkpoint(file: Path) -> Checkpoint:
    """The network in a file of either layout or of this project. `ValueError`, in one sentence, for other files."""
    content = weight_files.content(file)
    state = next((content[name] for name in ("model", "state_dict") if isinstance(content.get(name), Mapping)), content)
    tensors = {str(name).removeprefix("network."): w for name, w in state.items() if isinstance(w, Tensor)}
    beside = {} if state is content else {str(name): value for name, value in content.items() if value is not state}
    config = beside.pop("config", {})
    if "embed.W_E" in tensors:
        weights, layout = _from_theirs(tensors, file)
    elif "W_E" in tensors:
        weights, layout = tensors, "grok"
    else:
        raise ValueError(
            f"`checkpoint` must hold a network in the authors' layout or TransformerLens', with embed.W_E and the rest."
            f" {file} holds {', '.join(list(tensors)[:3]) or 'no tensors'}."
        )
    _fits(weights, file)
    return Checkpoint(weights, layout, dict(config) if isinstance(config, Mapping) else {}, beside)


def _from_theirs(tensors: Mapping[str, Tensor], file: Path) -> tuple[dict[str, Tensor], str]:
    """Weights by our names, and the layout they had: W_O tells, one matrix by the authors, one a head by the other."""
    names = {theirs: ours for ours, theirs in OUTER.items()}
    weights: dict[str, Tensor] = {}
    for theirs, w in tensors.items():
        match = re.fullmatch(r"blocks\.(\d+)\.(attn|mlp)\.(\w+)", theirs)
        if theirs in names:
            weights[names[theirs]] = w
        elif match and match[3] in (ATTENTION if match[2] == "attn" else MLP):
            weights[f"blocks.{match[1]}.{match[3]}"] = w
        elif not (match and match[3] in BUFFERS):
            rule = "`checkpoint` must hold a network like the paper's, without LayerNorm and the like."
            raise ValueError(f"{rule} {file} has {theirs}.")
    W_O = weights.get("blocks.0.W_O")
    layout = "authors" if W_O is not None and W_O.ndim == 2 else "transformer_lens"
    if layout == "transformer_lens":
        weights = {name: _turned(name, w) for name, w in weights.items()}
    is_extra = {name: kind_of(name) in EXTRA_BIASES for name in weights}
    return {name: w.contiguous() for name, w in weights.items() if not is_extra[name] or w.any()}, layout


def _turned(name: str, w: Tensor) -> Tensor:
    """A weight of TransformerLens in our shape."""
    kind = kind_of(name)
    if kind == "W_O" and w.ndim == 3:
        return w.permute(2, 0, 1).flatten(1)
    if kind in ("W_E", "W_in", "W_out") and w.ndim == 2:
        return w.T
    return w.transpose(1, 2) if kind in ("W_Q", "W_K", "W_V") and w.ndim == 3 else w


def _fits(weights: Mapping[str, Tensor], file: Path) -> None:
    """Refuse weights that do not fit together, naming the first."""
    needed = [
        "W_E",
        "W_pos",
        "W_U",
        *(f"blocks.{i}.{n}" for i in range(max(1, layers(weights))) for n in ATTENTION[:4]),
    ]
    missing = [name for name in needed if name not in weights]
    for i in range(layers(weights)):
        present = [f"blocks.{i}.{name}" in weights for name in MLP]
        if any(present) and not all(present):
            missing += [f"blocks.{i}.{name}" for name in MLP if f"blocks.{i}.{name}" not in weights]
    if missing:
        raise ValueError(f"`checkpoint` must hold a whole network. {file} lacks {missing[0]}.")
    d_model, tokens = weights["W_E"].shape if weights["W_E"].ndim == 2 else (0, 0)
    first = weights["blocks.0.W_Q"].shape
    n_heads, d_head = (first[0], first[1]) if len(first) == 3 else (0, 0)
    outputs = weights["W_U"].shape[-1]
    if outputs not in (tokens - 1, tokens):
        raise ValueError(
            f'`checkpoint` must have one output for each number, and perhaps one for "=". {file} has {outputs} for'
            f" {tokens - 1} numbers."
        )
    shapes: dict[str, tuple[int, ...]] = {
        **dict.fromkeys(("W_Q", "W_K", "W_V"), (n_heads, d_head, d_model)),
        **dict.fromkeys(("b_Q", "b_K", "b_V"), (n_heads, d_head)),
        **dict.fromkeys(("b_O", "b_out"), (d_model,)),
        "W_E": (d_model, tokens),
        "W_pos": (3, d_model),
        "W_U": (d_model, outputs),
        "b_U": (outputs,),
        "W_O": (d_model, n_heads * d_head),
    }
    for name, w in weights.items():
        kind = kind_of(name)
        d_mlp = len(weights[name.rsplit(".", 1)[0] + ".b_in"]) if kind in MLP else 0
        expected = {"W_in": (d_mlp, d_model), "b_in": (d_mlp,), "W_out": (d_model, d_mlp), **shapes}.get(kind)
        if expected is None or tuple(w.shape) != expected:
            raise ValueError(
                f"`checkpoint` must hold weights that fit together: {name} of shape {expected}, as our names go."
                f" {file} has {tuple(w.shape)}."
            )
        if not w.is_floating_point():
            raise ValueError(f"`checkpoint` must hold floating-point weights. {file} has {w.dtype} in {name}.")


# --- writing


def exported(weights: Mapping[str, Tensor], layout: str) -> dict[str, Tensor]:
    """The weights by the names and in the shapes of `layout`; `ValueError` where it has no place for one."""
    if layout not in LAYOUTS:
        raise ValueError(f"`layout` must be one of {', '.join(LAYOUTS)}. Got {layout!r}.")
    found: dict[str, Tensor] = {}
    for name, w in weights.items():
        kind = kind_of(name)
        if layout == "authors" and kind in EXTRA_BIASES:
            raise ValueError(f"The authors' layout has no place for {name}, which is not zero; use transformer_lens.")
        block = name.removesuffix(f".{kind}")
        theirs = OUTER.get(name, f"{block}.{'mlp' if kind in MLP else 'attn'}.{kind}")
        found[theirs] = w if layout == "authors" else _turned_back(name, w, weights)
    for i in range(layers(weights)):
        found[f"blocks.{i}.attn.mask"] = (
            torch.ones(3, 3).tril().to(torch.float32 if layout == "authors" else torch.bool)
        )
        if layout == "transformer_lens":
            found |= _zero_biases(weights, i)
    if layout == "transformer_lens":
        found.setdefault("unembed.b_U", torch.zeros(weights["W_U"].shape[1]))
    return {name: w.detach().contiguous().clone() for name, w in found.items()}


def _turned_back(name: str, w: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
    kind = kind_of(name)
    if kind == "W_O":
        return w.view(len(w), *weights["blocks.0.W_V"].shape[:2]).permute(1, 2, 0)
    return _turned(name, w)  # its own inverse


def _zero_biases(weights: Mapping[str, Tensor], layer: int) -> dict[str, Tensor]:
    heads, d_head, d_model = weights["blocks.0.W_V"].shape
    sizes = {"b_Q": (heads, d_head), "b_K": (heads, d_head), "b_V": (heads, d_head), "b_O": (d_model,)}
    attn = f"blocks.{layer}.attn"
    zeros = {
        f"{attn}.{name}": torch.zeros(size) for name, size in sizes.items() if f"blocks.{layer}.{name}" not in weights
    }
    return {**zeros, f"{attn}.IGNORE": torch.tensor(-torch.inf)}
