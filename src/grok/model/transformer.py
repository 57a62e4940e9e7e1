"""The paper's transformer, in the order of its forward pass.

A pair is the three tokens (a, b, "="), and only the logits above "=" are used. Training and measuring take the
exact restructured pass of `grok.model.fast_forward`; `Transformer.plain_forward` is what it computes.

Sources: Nanda et al., arXiv 2301.05217, §3 and appendix A; names, shapes and initialisation are those of
the authors' code.
"""

from collections.abc import Callable
from typing import cast

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from grok.model import fast_forward
from grok.model.block import Block
from grok.settings.checks import is_number, require_room, require_whole

MOST_LAYERS = 1_000
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"relu": functional.relu, "gelu": functional.gelu}
OTHER_ACTIVATIONS = {**ACTIVATIONS, "tanh": torch.tanh, "quadratic": torch.square}  # and of other people's networks


class Transformer(nn.Module):
    """A decoder over (a, b, "="): no LayerNorm, untied embeddings, biases in the MLP alone.

    Args:
        p: the modulus; tokens 0 … p - 1 are numbers, token p is "=".
        d_model, n_heads, d_mlp, n_layers: sizes; d_mlp = 0 leaves the MLP out.
        activation: "relu" or "gelu".
        dropout: on what attention and MLP add to the stream, drawn anew for every pair.
        seed: of the weights, drawn on the CPU by a generator of their own, so the same everywhere.
    """

    def __init__(
        self,
        p: int,
        d_model: int = 128,
        n_heads: int = 4,
        d_mlp: int = 512,
        n_layers: int = 1,
        activation: str = "relu",
        dropout: float = 0.0,
        seed: int = 0,
    ) -> None:
        for name, value, least in [
            ("d_model", d_model, 1),
            ("n_heads", n_heads, 1),
            ("n_layers", n_layers, 1),
            ("d_mlp", d_mlp, 0),
        ]:
            require_whole(name, value, least)
        if n_layers > MOST_LAYERS:
            raise ValueError(f"`n_layers` must be {MOST_LAYERS:,} at most. Got {n_layers:,}.")
        if d_model % n_heads:
            raise ValueError(f"`n_heads` must divide `d_model` = {d_model}. Got {n_heads}.")
        if activation not in ACTIVATIONS:
            raise ValueError(f"`activation` must be one of {', '.join(ACTIVATIONS)}. Got {activation!r}.")
        if not is_number(dropout) or not 0 <= dropout < 1:
            raise ValueError(f"`dropout` must be at least 0 and below 1. Got {dropout!r}.")
        per_layer = 4 * d_model * d_model + d_mlp * (2 * d_model + 1) + d_model
        parameters = 2 * d_model * (p + 1) + 3 * d_model + n_layers * per_layer
        each = 16 * parameters + 2000 * n_layers  # with gradient and two moments; 2 kB of Python a layer at least
        require_room("`d_model`, `d_mlp` and `n_layers`", f"{parameters:,} parameters", each)
        super().__init__()
        self.p = p
        self.W_E = nn.Parameter(torch.empty(d_model, p + 1))
        self.W_pos = nn.Parameter(torch.empty(3, d_model))
        block = d_model, n_heads, d_mlp, ACTIVATIONS[activation], dropout
        self.blocks = nn.ModuleList(Block(*block) for _ in range(n_layers))
        self.W_U = nn.Parameter(torch.empty(d_model, p + 1))
        self._initialise(seed)

    @torch.no_grad()
    def _initialise(self, seed: int) -> None:
        """Standard normal times 1/√d_model (W_U: times 1/√(p + 1)), biases 0; as the authors'."""
        generator = torch.Generator().manual_seed(seed)
        for name, parameter in self.named_parameters():
            if name.split(".")[-1].startswith("b_"):
                parameter.zero_()
                continue
            fan = self.p + 1 if name == "W_U" else self.W_U.shape[0]
            parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=torch.float32) * fan**-0.5)

    def plain_forward(self, a: Int[Tensor, " q"], b: Int[Tensor, " q"]) -> Float[Tensor, "q d_vocab"]:
        """The same logits, three positions through every matrix: slow, and the definition of `forward`."""
        tokens = torch.stack([a, b, torch.full_like(a, self.p)], 1)
        x = self.W_E.T[tokens] + self.W_pos
        for block in self.blocks:
            x = block(x)
        logits = x @ self.W_U
        return logits[:, -1]

    def forward(self, a: Int[Tensor, " q"], b: Int[Tensor, " q"]) -> Float[Tensor, "q d_vocab"]:
        """Logits over the p numbers and "=" at the last position."""
        return self.activations(a, b).logits

    def activations(self, a: Int[Tensor, " q"], b: Int[Tensor, " q"]) -> fast_forward.Activations:
        """Logits, neurons and residual stream at the last position of the last layer."""
        return fast_forward.activations(self.W_E, self.W_pos, self.layers, self.W_U, a, b)

    @property
    def layers(self) -> list[Block]:
        """The blocks, in order."""
        return cast(list[Block], list(self.blocks))

    def neuron_logit_map(self) -> Float[Tensor, "p d_mlp"] | None:
        """W_L = W_U W_out, the map from neurons to logits, "=" left out (paper App. A.1); None without an MLP."""
        if not self.layers[-1].has_mlp:
            return None
        return self.W_U[:, : self.p].T @ self.layers[-1].W_out
