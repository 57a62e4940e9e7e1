"""The embedding W_E and the neuron-logit map W_L in the Fourier basis (paper §4.1, §4.2, Fig. 3)."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from grok.tasks import fourier


def residual_share(W_L: Float[Tensor, "p d_mlp"], frequencies: Sequence[int]) -> Float[Tensor, ""]:
    """‖W_L - its waves of the key frequencies‖ / ‖W_L‖, Frobenius norms, the mean over outputs left out.

    What the rank-2|K| approximation leaves (paper §4.2: less than 0.55 %). A constant over the outputs
    moves all logits alike, and no loss; it is in neither norm.
    """
    centred = W_L.double() - W_L.double().mean(0)
    left: Tensor = (centred - fourier.projection(W_L, frequencies)).norm() / centred.norm()
    return left


def directions(W_L: Float[Tensor, "p d_mlp"], frequencies: Sequence[int]) -> Float[Tensor, "direction d_mlp"]:
    """u_k and v_k of each key frequency in turn: W_L = Σ_k cos_k u_kᵀ + sin_k v_kᵀ + rest (paper §4.2).

    cos_k and sin_k are the orthonormal waves over the outputs; for p/2 there is u alone.
    """
    p = W_L.shape[0]
    return fourier.basis(p, W_L.device)[fourier.rows(p, frequencies)] @ W_L.double()


def circles(W_E: Float[Tensor, "d_model p"], frequency: int) -> Float[Tensor, "axis=2 p"]:
    """The numbers' embedding seen along its own cos_k and sin_k directions: for a circle, p dots on it.

    The axes are W_E cos_k and W_E sin_k made orthonormal, first the one, then what is left of the other.
    """
    p = W_E.shape[1]
    waves = fourier.basis(p, W_E.device)[fourier.rows(p, [frequency])]
    plane = (W_E.double() @ waves.T).T  # wave, d_model
    if len(plane) == 1:
        plane = torch.cat([plane, torch.zeros_like(plane)])
    q, r = torch.linalg.qr(plane.T)
    axes: Tensor = (q * r.diagonal().sign()).T
    return axes @ (W_E.double() - W_E.double().mean(1, keepdim=True))
