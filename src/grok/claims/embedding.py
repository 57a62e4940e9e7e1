"""The embedding W_E and the neuron-logit map W_L in the Fourier basis (paper §4.1, §4.2, Fig. 3)."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from grok.tasks import fourier
from grok.tasks.bases import Basis


def residual_share(
    W_L: Float[Tensor, "p d_mlp"], frequencies: Sequence[int], basis: Basis | None = None
) -> Float[Tensor, ""]:
    """‖W_L - its waves of the key frequencies‖ / ‖W_L‖, Frobenius norms, the mean over outputs left out.

    What the rank-2|K| approximation leaves (paper §4.2: less than 0.55 %). A constant over the outputs
    moves all logits alike, and no loss; it is in neither norm.
    """
    centred = W_L.double() - W_L.double().mean(0)
    left: Tensor = (centred - (basis or fourier.cyclic(len(W_L))).projection(W_L, frequencies)).norm() / centred.norm()
    return left


def beyond_rank(W_L: Float[Tensor, "p d_mlp"], rank: int) -> Float[Tensor, ""]:
    """Norm of what the best approximation of that rank leaves of W_L, over the norm of W_L; the mean over outputs left
    out, as in `residual_share`, which it never exceeds."""
    values = torch.linalg.svdvals(W_L.double() - W_L.double().mean(0))
    left: Tensor = values[rank:].norm() / values.norm()
    return left


def directions(W_L: Float[Tensor, "p d_mlp"], frequencies: Sequence[int]) -> Float[Tensor, "direction d_mlp"]:
    """u_k and v_k of each key frequency in turn: W_L = Σ_k cos_k u_kᵀ + sin_k v_kᵀ + rest (paper §4.2).

    cos_k and sin_k are the orthonormal waves over the outputs; for p/2 there is u alone.
    """
    p = W_L.shape[0]
    return fourier.basis(p, W_L.device)[fourier.rows(p, frequencies)] @ W_L.double()


def circles(W_E: Float[Tensor, "d_model p"], frequency: int) -> Float[Tensor, "axis=2 p"]:
    """The numbers' embedding, seen in the plane of its own cos_k and sin_k directions (paper §4.1).

    The plane is spanned by W_E cos_k and W_E sin_k; its axes are the first, and what is left of the second at a right
    angle to it. So distances are those in the plane, and a circle is drawn where the embedding has one: coordinates
    along two directions that are not at right angles would make an ellipse flatter than it is, by the square. The
    mean over the numbers is left out. Where there is one direction alone, as for p/2, the other coordinate is 0.
    Even random weights give a ring, a faint and noisy one.
    """
    p = W_E.shape[1]
    waves = fourier.basis(p, W_E.device)[fourier.rows(p, [frequency])]
    directions = (W_E.double() @ waves.T).T
    least = 1e-9 * directions.norm(dim=1).max()  # what is shorter is rounding
    first = _unit(directions[0], least)
    axes = torch.stack([first, _unit(directions[-1] - (first @ directions[-1]) * first, least)])
    return axes @ (W_E.double() - W_E.double().mean(1, keepdim=True))


def plane(W_E: Float[Tensor, "d_model x=n"], basis: Basis, k: int) -> Float[Tensor, "axis=2 x=n"]:
    """The elements' embedding within one representation, in the two directions in which it is largest.

    Of a representation with one function alone, the other coordinate is 0.
    """
    functions = basis.on(W_E.device)[basis.rows([k])]
    values, along = torch.linalg.svd(W_E.double() @ functions.T, full_matrices=False)[1:]
    two = torch.zeros(2, W_E.shape[1], dtype=torch.float64)
    axes = values[:2, None] * (along[:2] @ functions)
    two[: len(axes)] = axes
    return two


def circularity(W_E: Float[Tensor, "d_model p"], frequency: int) -> Float[Tensor, ""]:
    """Share of one frequency in the numbers' embedding as seen in its own plane (`circles`): 1 for a circle.

    Random weights of width d_model leave about d_model / (d_model + p).
    """
    plane = circles(W_E, frequency)
    waves = plane @ fourier.basis(W_E.shape[1], W_E.device)[fourier.rows(W_E.shape[1], [frequency])].T
    share: Tensor = waves.square().sum() / plane.square().sum()
    return share


def _unit(vector: Float[Tensor, " d_model"], least: Float[Tensor, ""]) -> Float[Tensor, " d_model"]:
    """`vector` at length 1; 0 where it is no longer than `least`."""
    return vector / vector.norm() if vector.norm() > least else torch.zeros_like(vector)
