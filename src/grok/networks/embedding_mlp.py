"""Networks without attention: the embeddings of a and b, summed or side by side, one hidden layer, and the logits.

Sources of names and shapes: the code of arXiv 2306.17844 (its linear models) and of 2302.03025 (its MLP), and
2301.02679, whose first layer reads two one-hot numbers.
"""

from collections.abc import Mapping
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from grok.model.fast_forward import Activations
from grok.model.transformer import OTHER_ACTIVATIONS

# Our names: W_E d × p, that of b beside it as W_E_b where it has its own; W_in neurons × d or neurons × 2d, left out
# where the embeddings are the neurons' inputs; W_out where W_U reads it and not the neurons; W_U neurons × p.
NAMES = ("W_E", "W_E_b", "W_in", "b_in", "W_out", "b_out", "W_U", "b_U")
HIDDEN, OUTPUTS = {"l1": "in", "fc1": "in"}, {"unembed": "U", "fc2": "U"}  # nn.Linear or nn.Embedding of others
THEIRS = {
    **{name: (name, False) for name in NAMES},
    **{"embed.weight": ("W_E", True), "embed1.weight": ("W_E", True), "embed2.weight": ("W_E_b", True)},
    **{name: (name.split(".")[1], False) for name in ("embed.W_E", "mlp.W_in", "mlp.b_in", "mlp.W_out", "mlp.b_out")},
    **{name: (name.split(".")[1], False) for name in ("unembed.W_U", "unembed.b_U")},
    **{"W_x": ("W_E", True), "W_y": ("W_E_b", True), "W": ("W_in", True)},
    **{f"{theirs}.weight": (f"W_{ours}", False) for theirs, ours in HIDDEN.items()},
    **{f"{theirs}.weight": (f"W_{ours}", True) for theirs, ours in OUTPUTS.items()},
    **{f"{theirs}.bias": (f"b_{ours}", False) for theirs, ours in (HIDDEN | OUTPUTS).items()},
}
FIRST = ("embed.W_E", "W_E", "embed.weight", "embed1.weight", "W_x", "fc1.weight")


def named(tensors: Mapping[str, Tensor], file: Path) -> dict[str, Tensor] | None:
    """The weights by our names, whatever stands before theirs; None for a file of another kind."""
    if any(part in name for name in tensors for part in ("attn", "W_Q", "W_O")):
        return None
    for first in FIRST:
        for prefix in (name.removesuffix(first) for name in tensors if f".{name}".endswith(f".{first}")):
            inside = {name.removeprefix(prefix): w for name, w in tensors.items() if name.startswith(prefix)}
            weights = {THEIRS[x][0]: w.T if THEIRS[x][1] else w for x, w in inside.items() if x in THEIRS}
            if "W_U" in weights and {"W_E", "W_in"} & weights.keys():
                if unknown := sorted(inside.keys() - THEIRS.keys()):
                    raise ValueError(
                        f"`checkpoint` must have embeddings, one hidden layer and outputs, where it has no attention."
                        f" {file} has {unknown[0]} as well."
                    )
                return _whole(weights, file)
    return None


def _whole(weights: dict[str, Tensor], file: Path) -> dict[str, Tensor]:
    """The weights with the embedding that a layer over one-hot numbers holds; `ValueError` where they do not fit."""
    p = weights["W_U"].shape[-1]
    if "W_E" not in weights and weights["W_in"].shape[-1] == 2 * p:
        W_in = weights.pop("W_in")
        weights |= {"W_E": W_in[:, :p], "W_E_b": W_in[:, p:]}
    if "W_E" not in weights:
        raise ValueError(f"`checkpoint` must hold a whole network. {file} lacks W_E.")
    for name, w in weights.items():
        if not w.is_floating_point():
            raise ValueError(f"`checkpoint` must hold floating-point weights. {file} has {w.dtype} in {name}.")
    d = len(weights["W_E"])
    width = len(weights["W_in"]) if "W_in" in weights else d
    d_out = len(weights["W_out"]) if "W_out" in weights else width
    shapes = {"W_E": (d, p), "W_E_b": (d, p), "b_in": (width,), "W_out": (d_out, width), "b_out": (d_out,)}
    shapes |= {"W_U": (d_out, p), "b_U": (p,), "W_in": (width, d)}
    if "W_in" in weights and weights["W_in"].shape[-1] == 2 * d:
        shapes["W_in"] = (width, 2 * d)
    for name, expected in shapes.items():
        if name in weights and tuple(weights[name].shape) != expected:
            raise ValueError(
                f"`checkpoint` must hold weights that fit together: {name} of shape {expected}, as our names go."
                f" {file} has {tuple(weights[name].shape)}."
            )
    return {name: w.contiguous() for name, w in weights.items()}


class EmbeddingMLP(nn.Module):
    """Logits W_U f(W_in x + b_in), where x is E_a + E_b, or both side by side where W_in takes two.

    Args:
        weights: by the names above.
        activation: f, which no tensor tells.
    """

    has_skip = False

    def __init__(self, weights: Mapping[str, Tensor], activation: str = "relu") -> None:
        super().__init__()
        self.weights, self.activation = weights, OTHER_ACTIVATIONS[activation]
        self.p = weights["W_U"].shape[1]

    @property
    def W_E(self) -> Float[Tensor, "d p"]:
        """The embedding of the numbers; those of a and of b, one above the other, where there are two."""
        return torch.cat([self.weights[name] for name in ("W_E", "W_E_b") if name in self.weights])

    @property
    def numbers(self) -> tuple[Float[Tensor, "p d"], Float[Tensor, "p d"]]:
        """The embeddings of a and of b, a row a number."""
        first = self.weights["W_E"]
        return first.T, self.weights.get("W_E_b", first).T

    def activations(self, a: Int[Tensor, " q"], b: Int[Tensor, " q"]) -> Activations:
        """Logits, neurons, and what the logits are read from."""
        first, second = self.numbers
        return self.activations_of(first[a], second[b])

    def forward(self, a: Int[Tensor, " q"], b: Int[Tensor, " q"]) -> Float[Tensor, "q p"]:
        """Logits over the numbers."""
        return self.activations(a, b).logits

    def logits_from(self, a: Float[Tensor, "q d"], b: Float[Tensor, "q d"]) -> Float[Tensor, "q p"]:
        """Logits for given embeddings of the two numbers; differentiable."""
        return self.activations_of(a, b).logits

    def activations_of(self, a: Float[Tensor, "q d"], b: Float[Tensor, "q d"]) -> Activations:
        """The same for given embeddings of the two numbers."""
        w = self.weights
        W_in = w.get("W_in", torch.eye(a.shape[1], dtype=a.dtype))
        inputs = (a + b if W_in.shape[1] == a.shape[1] else torch.cat([a, b], 1)) @ W_in.T
        neurons = self.activation(inputs + w["b_in"] if "b_in" in w else inputs)
        out = neurons @ w["W_out"].T if "W_out" in w else neurons
        out = out + w["b_out"] if "b_out" in w else out
        return Activations(out @ w["W_U"] + w["b_U"] if "b_U" in w else out @ w["W_U"], neurons, out)

    def neuron_logit_map(self) -> Float[Tensor, "p neuron"]:
        """W_L, from neurons to logits."""
        w = self.weights
        return w["W_U"].T @ w["W_out"] if "W_out" in w else w["W_U"].T

    def bias(self) -> Float[Tensor, " p"]:
        """What the biases after the neurons add to the logits."""
        w = self.weights
        zero = w["W_U"].new_zeros(self.p)
        return (w["b_out"] @ w["W_U"] if "b_out" in w else zero) + w.get("b_U", zero)
