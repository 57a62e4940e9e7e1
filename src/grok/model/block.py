"""A block of the paper's transformer, as the paper has it: attention and MLP, each added to the residual stream.

Sources: Nanda et al., arXiv 2301.05217, §3 and appendix A; names and shapes of weights are those of the authors' code.
"""

import math
from collections.abc import Callable
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

Stream = Float[Tensor, "q position=3 d_model"]


class Block(nn.Module):
    """Causal attention and, where d_mlp > 0, an MLP, each added to the residual stream."""

    def __init__(
        self, d_model: int, n_heads: int, d_mlp: int, activation: Callable[[Tensor], Tensor], dropout: float
    ) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.has_mlp = d_mlp > 0
        self.activation = activation
        self.dropout = nn.Dropout(dropout)  # on what attention and MLP add, per pair
        heads = (n_heads, d_model // n_heads, d_model)
        self.W_Q = nn.Parameter(torch.empty(heads))
        self.W_K = nn.Parameter(torch.empty(heads))
        self.W_V = nn.Parameter(torch.empty(heads))
        self.W_O = nn.Parameter(torch.empty(d_model, d_model))
        if self.has_mlp:
            self.W_in = nn.Parameter(torch.empty(d_mlp, d_model))
            self.b_in = nn.Parameter(torch.empty(d_mlp))
            self.W_out = nn.Parameter(torch.empty(d_model, d_mlp))
            self.b_out = nn.Parameter(torch.empty(d_model))

    def forward(self, x: Stream) -> Stream:
        """The residual stream after this block."""
        x = x + self.attention(x)
        return x + self.mlp(x) if self.has_mlp else x

    def attention(self, x: Stream) -> Stream:
        """W_O z: values weighted by softmax(q·k/√d_head) over the positions up to one's own, heads side by side."""
        query, key, value = (torch.einsum("hed,qpd->qhpe", W, x) for W in (self.W_Q, self.W_K, self.W_V))
        scores = torch.einsum("qhpe,qhre->qhpr", query, key) / math.sqrt(query.shape[-1])
        later = torch.ones(3, 3, dtype=torch.bool, device=x.device).triu(1)
        pattern = scores.masked_fill(later, -torch.inf).softmax(-1)
        z = torch.einsum("qhpr,qhre->qphe", pattern, value).flatten(2)
        return cast(Tensor, self.dropout(z @ self.W_O.T))

    def mlp(self, x: Stream) -> Stream:
        """W_out of the neurons, f(W_in x + b_in), and b_out."""
        neurons = self.activation(x @ self.W_in.T + self.b_in)
        return cast(Tensor, self.dropout(neurons @ self.W_out.T + self.b_out))
