"""Two pieces of the fast forward whose gradients torch would take in more passes over memory than they need.

Around a matrix product, time goes into reading and writing activations. Here biases, ReLU, its mask and
the residual stream are applied in place, and what attention gathers is summed back row by row. Values
and gradients are those of the plain formulas, to float32 rounding.
"""

from typing import NamedTuple, cast

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable


class _ReluMLP(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: FunctionCtx, x: Tensor, W_in: Tensor, b_in: Tensor, W_out: Tensor, b_out: Tensor
    ) -> tuple[Tensor, Tensor]:
        neurons = (x @ W_in.T).add_(b_in).relu_()
        ctx.save_for_backward(x, W_in, W_out, neurons)
        ctx.set_materialize_grads(False)
        return (neurons @ W_out.T).add_(x).add_(b_out), neurons

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor | None, grad_neurons: Tensor | None) -> tuple[Tensor, ...]:
        x, W_in, W_out, neurons = cast(tuple[Tensor, ...], ctx.saved_tensors)  # type: ignore[attr-defined]
        grad = torch.zeros_like(x) if grad is None else grad
        before = grad @ W_out
        if grad_neurons is not None:
            before += grad_neurons
        torch.ops.aten.threshold_backward.grad_input(before, neurons, 0, grad_input=before)
        return (before @ W_in).add_(grad), before.T @ x, before.sum(0), grad.T @ neurons, grad.sum(0)


class MLPOutput(NamedTuple):
    """The residual stream after an MLP, and the neurons in it."""

    stream: Float[Tensor, "row d_model"]
    neurons: Float[Tensor, "row d_mlp"]


def relu_mlp(
    x: Float[Tensor, "row d_model"],
    W_in: Float[Tensor, "d_mlp d_model"],
    b_in: Float[Tensor, " d_mlp"],
    W_out: Float[Tensor, "d_model d_mlp"],
    b_out: Float[Tensor, " d_model"],
) -> MLPOutput:
    """x + W_out relu(W_in x + b_in) + b_out, and the neurons relu(…); differentiable once."""
    return MLPOutput(*_ReluMLP.apply(x, W_in, b_in, W_out, b_out))  # type: ignore[no-untyped-call]


class _GatheredAttention(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: FunctionCtx, first: Tensor, second: Tensor, last: Tensor, a: Tensor, b: Tensor, n_heads: int
    ) -> Tensor:
        total = first.index_select(0, a).add_((second + last).index_select(0, b))
        inverse = total[:, -n_heads:].reciprocal()
        z = _by_head(total[:, :-n_heads], n_heads) * inverse[:, :, None]
        ctx.save_for_backward(z, inverse, a, b)
        ctx.rows = len(first), len(second)  # type: ignore[attr-defined]
        return z.flatten(1)

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor | None, ...]:
        z, inverse, a, b = cast(tuple[Tensor, ...], ctx.saved_tensors)  # type: ignore[attr-defined]
        rows_first, rows_second = cast(tuple[int, int], ctx.rows)  # type: ignore[attr-defined]
        (q, width), n_heads = grad.shape, inverse.shape[1]
        total = grad.new_empty(q, width + n_heads)
        scaled = _by_head(total[:, :width], n_heads)
        torch.mul(_by_head(grad, n_heads), inverse[:, :, None], out=scaled)
        torch.sum(scaled * z, 2, out=total[:, width:]).neg_()
        second = _sums(total, b, rows_second)
        return _sums(total, a, rows_first), second, second.sum(0, keepdim=True), None, None, None


def _by_head(x: Tensor, n_heads: int) -> Float[Tensor, "q head d_head"]:
    return x.view(len(x), n_heads, -1)


def _sums(x: Tensor, index: Tensor, n: int) -> Tensor:
    """The sum of the rows of x by index. On a GPU as a product, where torch's own sum has no fixed order."""
    if x.is_cuda:
        chosen = index == torch.arange(n, device=index.device)[:, None]
        return chosen.to(x.dtype) @ x
    return x.new_zeros(n, x.shape[1]).index_add_(0, index, x)


def gathered_attention(
    first: Float[Tensor, "row width"],
    second: Float[Tensor, "other_row width"],
    last: Float[Tensor, "1 width"],
    a: Int[Tensor, " q"],
    b: Int[Tensor, " q"],
    n_heads: int,
) -> Float[Tensor, "q d_model"]:
    """Weighted values z = (Σ e v) / (Σ e) over three positions; differentiable once.

    Args:
        first, second, last: of every distinct row of a position, e·v of all heads, then e of each head.
        a, b: which row of `first` and `second` each pair has.
    """
    return cast(Tensor, _GatheredAttention.apply(first, second, last, a, b, n_heads))  # type: ignore[no-untyped-call]
