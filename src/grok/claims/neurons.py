"""Neurons as polynomials of degree two in the waves of one frequency (paper §4.2 to §4.4, Table 1, Fig. 5)."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from grok.measures import progress
from grok.tasks import fourier


def frequencies(explained: Float[Tensor, "k neuron"]) -> Int[Tensor, " neuron"]:
    """The frequency that explains most of each neuron's variance (paper §4.3)."""
    return explained.argmax(0) + 1


def polynomial_rows(
    neurons: Float[Tensor, "a=p b=p neuron"], frequency: Int[Tensor, " neuron"], variant: str = "3x3"
) -> Float[Tensor, "line=4 x=p neuron"]:
    """Each neuron's mean plus its terms of its own frequency, along the lines of the table.

    `3x3` is the best polynomial of degree two in the waves of w_k a and w_k b, as those are eight
    orthogonal terms and the constant; `sum` keeps cos and sin w_k(a+b) alone (paper §4.4).
    """
    p = neurons.shape[0]
    means = fourier.line_sums(neurons) / p
    F = fourier.basis(p, neurons.device)
    components = F @ means  # line, row, neuron
    k = torch.tensor([(row + 1) // 2 for row in range(p)], device=neurons.device)  # of each row; 0: the constant
    components *= (k[:, None] == frequency).double()
    lines = progress.VARIANTS[variant]
    for line in range(4):
        if line not in lines:
            components[line] = 0
    if p % 2 == 0:
        components[3, -1] = 0  # at p/2, a wave in a - b is one in a + b
    rows: Tensor = F.T @ components
    rows[2] += means[2].mean(0)
    return rows


def projection(
    neurons: Float[Tensor, "a=p b=p neuron"], directions: Float[Tensor, "direction neuron"]
) -> Float[Tensor, "a=p b=p neuron"]:
    """The neurons' part in the span of the directions (paper §4.4)."""
    q = torch.linalg.qr(directions.T).Q
    projected: Tensor = (neurons @ q) @ q.T
    return projected


def projections_explained(
    neurons: Float[Tensor, "a=p b=p neuron"],
    directions: Float[Tensor, "direction neuron"],
    keys: Sequence[int],
) -> Float[Tensor, " direction"]:
    """Share of the variance of u_k·MLP that cos w_k(a+b) explains, and of v_k·MLP that sin does (paper Table 1).

    Directions as of `embedding.directions`. nan for one that never changes.
    """
    p = neurons.shape[0]
    along = neurons @ directions.T
    centred = along - along.mean((0, 1))
    over_sums = fourier.line_sums(along)[2]  # of p pairs for each a + b
    waves = fourier.basis(p, neurons.device)[fourier.rows(p, keys)]
    component = torch.einsum("ds,sd->d", waves, over_sums)
    return component.square() / p / centred.square().sum((0, 1))
