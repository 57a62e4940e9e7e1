"""The paper's transformer, computing only what the last position needs.

Source: paper §3 and appendix A; names, shapes and initialisation are those of the authors' code.
A pair is the three tokens (a, b, "="), and only the logits above "=" are used. Before the
first layer a position has few distinct rows (p for a, p for b, one for "="), and a causal mask
keeps position 0 at p rows for ever; so each position is carried as its distinct rows and the row
that each pair has. The result is that of the plain three-position network.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple, cast

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from grok.model.fused import gathered_attention, relu_mlp
from grok.settings.checks import is_number, require_whole

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"relu": functional.relu, "gelu": functional.gelu}


class Rows(NamedTuple):
    """One position's residual stream: its distinct rows, and which of them each pair has."""

    values: Float[Tensor, "row d_model"]
    of: Int[Tensor, " q"] | None  # None: a row a pair already, or one row for all

    def per_pair(self) -> Float[Tensor, "q d_model"]:
        return self.values if self.of is None else self.values.index_select(0, self.of)

    def mapped(self, W: Float[Tensor, "out d_model"]) -> "Rows":
        return Rows(functional.linear(self.values, W), self.of)


class Activations(NamedTuple):
    """What a forward pass leaves at the last position of the last layer."""

    logits: Float[Tensor, "q d_vocab"]
    neurons: Float[Tensor, "q d_mlp"] | None  # after the nonlinearity; None without an MLP
    residual: Float[Tensor, "q d_model"]  # before unembedding


class Block(nn.Module):
    """Causal attention and, where d_mlp > 0, an MLP, each added to the residual stream."""

    def __init__(self, d_model: int, n_heads: int, d_mlp: int, activation: str, dropout: float) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.activation = ACTIVATIONS[activation]
        self.dropout = nn.Dropout(dropout)  # on what attention and MLP add, per pair
        heads = (n_heads, d_model // n_heads, d_model)
        self.W_Q = nn.Parameter(torch.empty(heads))
        self.W_K = nn.Parameter(torch.empty(heads))
        self.W_V = nn.Parameter(torch.empty(heads))
        self.W_O = nn.Parameter(torch.empty(d_model, d_model))
        if d_mlp:
            self.W_in = nn.Parameter(torch.empty(d_mlp, d_model))
            self.b_in = nn.Parameter(torch.empty(d_mlp))
            self.W_out = nn.Parameter(torch.empty(d_model, d_mlp))
            self.b_out = nn.Parameter(torch.empty(d_model))
        self.has_mlp = d_mlp > 0

    def forward(self, streams: Sequence[Rows], last: bool) -> tuple[list[Rows], Tensor | None]:
        """The streams after this block (of the last block: "=" alone), and the neurons above "="."""
        after: list[Rows] = []
        neurons = None
        for i in range(2 if last else 0, 3):
            x = self.attention(streams[i], streams[: i + 1])
            if self.has_mlp:
                stream, neurons = self.mlp(x.values)
                x = Rows(stream, x.of)
            after.append(x)
        return after, neurons

    def mlp(self, x: Float[Tensor, "row d_model"]) -> tuple[Tensor, Tensor]:
        """The residual stream `x` after the MLP, and the neurons."""
        if self.activation is functional.relu and not self.dropout.p:
            return relu_mlp(x, self.W_in, self.b_in, self.W_out, self.b_out)
        neurons = self.activation(functional.linear(x, self.W_in, self.b_in))
        return x + self.dropout(functional.linear(neurons, self.W_out, self.b_out)), neurons

    def attention(self, here: Rows, seen: Sequence[Rows]) -> Rows:
        """The residual stream `here` after attending to the positions `seen`, itself the last."""
        if len(seen) == 1:  # position 0 sees itself alone: attention 1, and its rows stay distinct
            mixed = functional.linear(here.values, self.W_V.flatten(0, 1))
            return Rows(here.values + self.dropout(functional.linear(mixed, self.W_O)), here.of)
        one_query = here.of is None and len(here.values) == 1 and seen[0].of is not None
        mixed = self._one_query(here, seen) if one_query else self._per_pair(here, seen)
        return Rows(self.dropout(functional.linear(mixed, self.W_O)).add_(here.per_pair()), None)

    def _split(self, x: Tensor) -> Float[Tensor, "row head d_head"]:
        return x.view(len(x), self.n_heads, -1)

    def _scores(self, query: Tensor, key: Tensor) -> Float[Tensor, "row head"]:
        products = self._split(query * key)
        return products.sum(2) / math.sqrt(products.shape[2])

    def _per_pair(self, here: Rows, seen: Sequence[Rows]) -> Float[Tensor, "q d_model"]:
        """softmax over positions of q·k/√d_head, times v, pair by pair."""
        query = here.mapped(self.W_Q.flatten(0, 1)).per_pair()
        keys = [x.mapped(self.W_K.flatten(0, 1)).per_pair() for x in seen]
        values = [x.mapped(self.W_V.flatten(0, 1)).per_pair() for x in seen]
        pattern = torch.stack([self._scores(query, key) for key in keys]).softmax(0)
        weighted = [w[:, :, None] * self._split(v) for w, v in zip(pattern, values, strict=True)]
        return torch.stack(weighted).sum(0).flatten(1)

    def _one_query(self, here: Rows, seen: Sequence[Rows]) -> Float[Tensor, "q d_model"]:
        """The same where all pairs share one query: then each row has one weight e = exp(score),
        and attention is (Σ e v) / (Σ e) over the positions: gathered rows of one table, and one division.

        A shift common to all scores of a head cancels. Half-way between the largest score and that
        of "=", the last row, it leaves float32 room for scores 170 apart (attention 1e-74).
        """
        rows = torch.cat([x.values for x in seen])
        query = functional.linear(here.values, self.W_Q.flatten(0, 1))
        key = functional.linear(rows, self.W_K.flatten(0, 1))
        value = functional.linear(rows, self.W_V.flatten(0, 1))
        scores = self._scores(query, key)
        with torch.no_grad():
            shift = (scores.amax(0) + scores[-1]) / 2
        e = (scores - shift).exp()
        table = torch.cat([(e[:, :, None] * self._split(value)).flatten(1), e], 1)
        first, second, last = torch.split(table, [len(x.values) for x in seen])
        a, b = (cast(Tensor, x.of) for x in seen[:2])
        return gathered_attention(first, second, last, a, b, self.n_heads)


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
            require_whole(f"model.{name}", value, least)
        if d_model % n_heads:
            raise ValueError(f"`model.n_heads` must divide `model.d_model` = {d_model}. Got {n_heads}.")
        if activation not in ACTIVATIONS:
            raise ValueError(f"`model.activation` must be one of {', '.join(ACTIVATIONS)}. Got {activation!r}.")
        if not is_number(dropout) or not 0 <= dropout < 1:
            raise ValueError(f"`model.dropout` must be at least 0 and below 1. Got {dropout!r}.")
        super().__init__()
        self.p = p
        self.W_E = nn.Parameter(torch.empty(d_model, p + 1))
        self.W_pos = nn.Parameter(torch.empty(3, d_model))
        self.blocks = nn.ModuleList(Block(d_model, n_heads, d_mlp, activation, dropout) for _ in range(n_layers))
        self.W_U = nn.Parameter(torch.empty(d_model, p + 1))
        self._initialise(seed)

    @property
    def layers(self) -> list[Block]:
        """The blocks, in order."""
        return cast(list[Block], list(self.blocks))

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

    def forward(self, a: Int[Tensor, " q"], b: Int[Tensor, " q"]) -> Float[Tensor, "q d_vocab"]:
        """Logits over the p numbers and "=" at the last position."""
        return self.activations(a, b).logits

    def activations(self, a: Int[Tensor, " q"], b: Int[Tensor, " q"]) -> Activations:
        """Logits, neurons and residual stream at the last position of the last layer."""
        tokens = self.W_E.T
        numbers, equals = tokens[: self.p], tokens[self.p :]
        streams = [
            Rows(numbers + self.W_pos[0], a),
            Rows(numbers + self.W_pos[1], b),
            Rows(equals + self.W_pos[2], None),
        ]
        if self.training and self.layers[0].dropout.p > 0:  # no two pairs share a dropped row
            streams = [Rows(x.per_pair().expand(len(a), -1), None) for x in streams]
        neurons = None
        for i, block in enumerate(self.layers):
            streams, neurons = block(streams, last=i == len(self.layers) - 1)
        residual = streams[-1].values
        return Activations(residual @ self.W_U, neurons, residual)

    def neuron_logit_map(self) -> Float[Tensor, "p d_mlp"] | None:
        """W_L = W_U W_out, the map from neurons to logits, "=" left out (paper App. A.1); None without an MLP."""
        if not self.layers[-1].has_mlp:
            return None
        return self.W_U[:, : self.p].T @ self.layers[-1].W_out
