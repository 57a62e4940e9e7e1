"""The transformer's forward pass, computing only what the last position needs; exact.

Before the first layer a position has few distinct rows (p for a, p for b, one for "="), and the causal
mask keeps position 0 at p rows for ever; so each position is carried as its distinct rows and the row
that each pair has. The result is that of `Transformer.plain_forward`, to rounding.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple, cast

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from grok.model.block import Block
from grok.model.fused import gathered_attention, relu_mlp


class Activations(NamedTuple):
    """What a forward pass leaves at the last position of the last layer."""

    logits: Float[Tensor, "q d_vocab"]
    neurons: Float[Tensor, "q d_mlp"] | None  # after the nonlinearity; None without an MLP
    residual: Float[Tensor, "q d_model"]  # before unembedding


class Position(NamedTuple):
    """The residual stream at one position: its distinct rows, and which of them each pair has."""

    rows: Float[Tensor, "row d_model"]
    row_of_pair: Int[Tensor, " q"] | None  # None: a row a pair already, or one row for all

    def per_pair(self) -> Float[Tensor, "q d_model"]:
        return self.rows if self.row_of_pair is None else self.rows.index_select(0, self.row_of_pair)

    def linear(self, W: Float[Tensor, "out d_model"]) -> "Position":
        return Position(functional.linear(self.rows, W), self.row_of_pair)


def activations(
    W_E: Float[Tensor, "d_model d_vocab"],
    W_pos: Float[Tensor, "3 d_model"],
    blocks: Sequence[Block],
    W_U: Float[Tensor, "d_model d_vocab"],
    a: Int[Tensor, " q"],
    b: Int[Tensor, " q"],
) -> Activations:
    """Logits, neurons and residual stream at the last position of the last layer."""
    numbers, equals = W_E.T[:-1], W_E.T[-1:]
    positions = [
        Position(numbers + W_pos[0], a),
        Position(numbers + W_pos[1], b),
        Position(equals + W_pos[2], None),
    ]
    *early, last = blocks
    if last.training and last.dropout.p > 0:  # no two pairs share a dropped row
        positions = [Position(x.per_pair().expand(len(a), -1), None) for x in positions]
    for block in early:
        positions = [_after_block(block, positions[: i + 1])[0] for i in range(3)]
    (residual, _), neurons = _after_block(last, positions)
    return Activations(residual @ W_U, neurons, residual)


def _after_block(block: Block, seen: Sequence[Position]) -> tuple[Position, Tensor | None]:
    """The last of the positions `seen` after the block, and its neurons."""
    x = _after_attention(block, seen)
    if not block.has_mlp:
        return x, None
    rows, neurons = _after_mlp(block, x.rows)
    return Position(rows, x.row_of_pair), neurons


def _after_mlp(block: Block, x: Float[Tensor, "row d_model"]) -> tuple[Tensor, Tensor]:
    """The residual stream `x` after the MLP, and the neurons."""
    if block.activation is functional.relu and not block.dropout.p:
        return relu_mlp(x, block.W_in, block.b_in, block.W_out, block.b_out)
    neurons = block.activation(functional.linear(x, block.W_in, block.b_in))
    return x + block.dropout(functional.linear(neurons, block.W_out, block.b_out)), neurons


def _after_attention(block: Block, seen: Sequence[Position]) -> Position:
    """The last of the positions `seen` after attending to all of them."""
    here = seen[-1]
    if len(seen) == 1:  # position 0 sees itself alone: attention 1, and its rows stay distinct
        z = functional.linear(here.rows, block.W_V.flatten(0, 1))
        return Position(here.rows + block.dropout(functional.linear(z, block.W_O)), here.row_of_pair)
    one_query = here.row_of_pair is None and len(here.rows) == 1 and seen[0].row_of_pair is not None
    z = _one_query(block, seen) if one_query else _per_pair(block, seen)
    return Position(block.dropout(functional.linear(z, block.W_O)).add_(here.per_pair()), None)


def _by_head(x: Tensor, n_heads: int) -> Float[Tensor, "row head d_head"]:
    return x.view(len(x), n_heads, -1)


def _scores(query: Tensor, key: Tensor, n_heads: int) -> Float[Tensor, "row head"]:
    products = _by_head(query * key, n_heads)
    return products.sum(2) / math.sqrt(products.shape[2])


def _per_pair(block: Block, seen: Sequence[Position]) -> Float[Tensor, "q d_model"]:
    """Weighted values z: softmax over positions of q·k/√d_head, times v, pair by pair."""
    query = seen[-1].linear(block.W_Q.flatten(0, 1)).per_pair()
    keys = [x.linear(block.W_K.flatten(0, 1)).per_pair() for x in seen]
    values = [x.linear(block.W_V.flatten(0, 1)).per_pair() for x in seen]
    pattern = torch.stack([_scores(query, key, block.n_heads) for key in keys]).softmax(0)
    weighted = [w[:, :, None] * _by_head(v, block.n_heads) for w, v in zip(pattern, values, strict=True)]
    return torch.stack(weighted).sum(0).flatten(1)


def _one_query(block: Block, seen: Sequence[Position]) -> Float[Tensor, "q d_model"]:
    """The same where all pairs share one query: then each row has one weight e = exp(score),
    and attention is (Σ e v) / (Σ e) over the positions: gathered rows of one table, and one division.

    A shift common to all scores of a head cancels. Half-way between the largest score and that
    of "=", the last row, it leaves float32 room for scores 170 apart (attention 1e-74).
    """
    rows = torch.cat([x.rows for x in seen])
    query = functional.linear(seen[-1].rows, block.W_Q.flatten(0, 1))
    key = functional.linear(rows, block.W_K.flatten(0, 1))
    value = functional.linear(rows, block.W_V.flatten(0, 1))
    scores = _scores(query, key, block.n_heads)
    with torch.no_grad():
        shift = (scores.amax(0) + scores[-1]) / 2
    e = (scores - shift).exp()
    table = torch.cat([(e[:, :, None] * _by_head(value, block.n_heads)).flatten(1), e], 1)
    first, second, last = torch.split(table, [len(x.rows) for x in seen])
    a, b = (cast(Tensor, x.row_of_pair) for x in seen[:2])
    return gathered_attention(first, second, last, a, b, block.n_heads)
