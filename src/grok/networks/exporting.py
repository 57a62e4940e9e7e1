"""Networks by the names and in the shapes of other programs."""

from collections.abc import Mapping

import torch
from torch import Tensor

from grok.networks.layouts import EXTRA_BIASES, LAYOUTS, MLP, OUTER, kind_of, layers
from grok.networks.names import turned


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
    return turned(name, w)  # its own inverse


def _zero_biases(weights: Mapping[str, Tensor], layer: int) -> dict[str, Tensor]:
    heads, d_head, d_model = weights["blocks.0.W_V"].shape
    sizes = {"b_Q": (heads, d_head), "b_K": (heads, d_head), "b_V": (heads, d_head), "b_O": (d_model,)}
    attn = f"blocks.{layer}.attn"
    zeros = {
        f"{attn}.{name}": torch.zeros(size) for name, size in sizes.items() if f"blocks.{layer}.{name}" not in weights
    }
    return {**zeros, f"{attn}.IGNORE": torch.tensor(-torch.inf)}
