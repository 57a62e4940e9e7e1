"""The names and shapes that programs give to a network's weights, and ours.

Sources of the shapes: the authors' code; `transformer_lens.HookedTransformer` (up to version 3) and the native models
of its `TransformerBridge` (version 4). Weights get the names and shapes of `grok.model.transformer`, `blocks.0.W_Q` and
so on; b_Q, b_K, b_V, b_O and b_U stand beside them when they are not zero. W_U keeps its outputs: p, or p and "=".
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

OUTER = {"W_E": "embed.W_E", "W_pos": "pos_embed.W_pos", "W_U": "unembed.W_U", "b_U": "unembed.b_U"}
ATTENTION = ("W_Q", "W_K", "W_V", "W_O", "b_Q", "b_K", "b_V", "b_O")
MLP = ("W_in", "b_in", "W_out", "b_out")
BUFFERS = ("mask", "IGNORE", "causal_mask")  # what attention layers keep beside their weights
EXTRA_BIASES = ("b_Q", "b_K", "b_V", "b_O", "b_U")  # which only TransformerLens has

ANCHORS = {"embed.W_E": "theirs", "tok_embed.weight": "bridge", "embed.weight": "bridge", "W_E": "grok"}
BRIDGE = {
    "embed.weight": "W_E",
    "tok_embed.weight": "W_E",
    "pos_embed.weight": "W_pos",
    "pos.weight": "W_pos",
    "unembed.weight": "W_U",
    "head.weight": "W_U",
    "unembed.bias": "b_U",
    "head.bias": "b_U",
}
BRIDGE_PARTS = {
    **{("attn", x): (f"W_{x.upper()}", f"b_{x.upper()}") for x in "qkvo"},
    **{("mlp", f"{fc}{x}"): (f"W_{x}", f"b_{x}") for x in ("in", "out") for fc in ("", "fc_")},
}


def named(tensors: Mapping[str, Tensor], config: Mapping[str, Any], file: Path) -> tuple[dict[str, Tensor], str]:
    """The weights by our names and in our shapes, and the layout that they had.

    What stands before all names (`module.`, `_orig_mod.`, `model.`, `network.`) is taken off. `ValueError` for others.
    """
    for anchor, layout in ANCHORS.items():
        prefixes = [name.removesuffix(anchor) for name in tensors if name.endswith(anchor)]
        for prefix in sorted((x for x in prefixes if x == "" or x.endswith(".")), key=len):
            inside = {name.removeprefix(prefix): w for name, w in tensors.items() if name.startswith(prefix)}
            if layout == "theirs":
                return _from_theirs(inside, file)
            return _from_bridge(inside, config, file) if layout == "bridge" else (inside, "grok")
    raise ValueError(
        f"`checkpoint` must hold a network in the authors' layout or TransformerLens', with embed.W_E and the rest."
        f" {file} holds {', '.join(list(tensors)[:3]) or 'no tensors'}."
    )


def kind_of(name: str) -> str:
    """W_Q of blocks.0.W_Q."""
    return name.rsplit(".", maxsplit=1)[-1]


def layers(weights: Mapping[str, Tensor]) -> int:
    """The number of blocks."""
    return 1 + max((int(m[1]) for name in weights if (m := re.match(r"blocks\.(\d+)\.", name))), default=-1)


def _from_theirs(tensors: Mapping[str, Tensor], file: Path) -> tuple[dict[str, Tensor], str]:
    """W_O tells the layout: one matrix by the authors, one a head in TransformerLens."""
    names = {theirs: ours for ours, theirs in OUTER.items()}
    weights: dict[str, Tensor] = {}
    unknown: dict[str, Tensor] = {}
    for theirs, w in tensors.items():
        match = re.fullmatch(r"blocks\.(\d+)\.(attn|mlp)\.(\w+)", theirs)
        if theirs in names:
            weights[names[theirs]] = w
        elif match and match[3] in (ATTENTION if match[2] == "attn" else MLP):
            weights[f"blocks.{match[1]}.{match[3]}"] = w
        elif not (match and match[3] in BUFFERS):
            unknown[theirs] = w
    _refuse_unknown(unknown, weights, file)
    W_O = weights.get("blocks.0.W_O")
    layout = "authors" if W_O is not None and W_O.ndim == 2 else "transformer_lens"
    if layout == "transformer_lens":
        weights = {name: turned(name, w) for name, w in weights.items()}
    return _without_zero_biases(weights), layout


def _refuse_unknown(unknown: Mapping[str, Tensor], weights: Mapping[str, Tensor], file: Path) -> None:
    """What is the same as another weight is that under a second name; anything else is a part we do not know."""
    for name, w in unknown.items():
        if not any(w.shape == known.shape and bool((w == known).all()) for known in weights.values()):
            rule = "`checkpoint` must hold a network like the paper's, without LayerNorm and the like."
            raise ValueError(f"{rule} {file} has {name}.")


def _from_bridge(tensors: Mapping[str, Tensor], config: Mapping[str, Any], file: Path) -> tuple[dict[str, Tensor], str]:
    """nn.Linear's shapes, out × in: those of MLP and W_O are ours, heads are laid side by side, W_E and W_U turned."""
    weights: dict[str, Tensor] = {}
    unknown: dict[str, Tensor] = {}
    for name, w in tensors.items():
        theirs = name.replace("._original_component", "")
        match = re.fullmatch(r"(?:blocks|layers)\.(\d+)\.(attn|mlp)\.(\w+)\.(weight|bias)", theirs)
        part = BRIDGE_PARTS.get((match[2], match[3])) if match else None
        if theirs in BRIDGE:
            weights[BRIDGE[theirs]] = w.T if BRIDGE[theirs] in ("W_E", "W_U") else w
        elif match and part:
            weights[f"blocks.{match[1]}.{part[match[4] == 'bias']}"] = w
        elif kind_of(theirs) not in BUFFERS:
            unknown[name] = w
    _refuse_unknown(unknown, weights, file)
    n_heads = config.get("n_heads")
    if not isinstance(n_heads, int) or n_heads < 1:
        raise ValueError(
            f"`checkpoint` must say how many heads it has (n_heads in its config), since this layout lays them side by"
            f" side. {file} does not."
        )
    heads = {name: w for name, w in weights.items() if kind_of(name)[2:] in ("Q", "K", "V")}
    for name, w in heads.items():
        if len(w) % n_heads:
            raise ValueError(f"`checkpoint` must have whole heads. {file} has {len(w)} rows in {name} for {n_heads}.")
        weights[name] = w.view(n_heads, -1, *w.shape[1:])
    return _without_zero_biases(weights), "bridge"


def _without_zero_biases(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    is_extra = {name: kind_of(name) in EXTRA_BIASES for name in weights}
    return {name: w.contiguous() for name, w in weights.items() if not is_extra[name] or w.any()}


def turned(name: str, w: Tensor) -> Tensor:
    """A weight of TransformerLens in our shape."""
    kind = kind_of(name)
    if kind == "W_O" and w.ndim == 3:
        return w.permute(2, 0, 1).flatten(1)
    if kind in ("W_E", "W_in", "W_out") and w.ndim == 2:
        return w.T
    return w.transpose(1, 2) if kind in ("W_Q", "W_K", "W_V") and w.ndim == 3 else w
