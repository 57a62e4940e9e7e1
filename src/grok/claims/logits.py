"""The logits as waves: their spectrum over (a, b), and Σ α_k cos w_k(a+b-c) (paper §4.1, §4.2)."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from grok.tasks import fourier
from grok.tasks.bases import Basis


def spectrum(logits: Float[Tensor, "a=p b=p c=p"]) -> Float[Tensor, "i=p j=p"]:
    """Norm over classes of each component F_i(a) F_j(b) of the logits (paper Fig. 4, right)."""
    p = logits.shape[0]
    F = fourier.basis(p, logits.device)
    over_a = (F @ logits.double().view(p, p * p)).view(p, p, p)
    return torch.stack([(F @ rows).square().sum(1).sqrt() for rows in over_a])


def in_blocks(p: int, frequencies: Sequence[int]) -> Bool[Tensor, "i=p j=p"]:
    """True on the components of the key frequencies' 2×2 blocks, {cos_k, sin_k} ⊗ {cos_k, sin_k}."""
    block = torch.zeros(p, p, dtype=torch.bool)
    for k in frequencies:
        rows = torch.tensor(fourier.rows(p, [k]))
        block[rows[:, None], rows] = True
    return block


def significant(norms: Float[Tensor, "i=p j=p"]) -> Bool[Tensor, "i=p j=p"]:
    """Components above a quarter of the largest, the constant left out."""
    without = norms.clone()
    without[0, 0] = 0
    return without > without.max() / 4


def variance(logits: Float[Tensor, "a=p b=p c=p"]) -> Float[Tensor, ""]:
    """Sum of squares of the logits around their mean over all pairs and classes."""
    return (logits.double() - logits.double().mean()).square_().sum()


def variance_of_waves(
    means: Float[Tensor, "y=p c=p"], frequencies: Sequence[int], basis: Basis | None = None
) -> Float[Tensor, ""]:
    """Sum of squares over all pairs of P_K L, from the mean logits of each answer: what lies in sum waves."""
    return (basis or fourier.cyclic(len(means))).projection(means, frequencies).square().sum() * len(means)


def variances_of_cosines(alpha: Float[Tensor, " k"], p: int, basis: Basis | None = None) -> Float[Tensor, " k"]:
    """Sum of squares over (a, b, c) of α_k cos w_k(a+b-c): α_k² p³/2, for k = p/2 twice that; α_k² p³/d for a block of
    d functions."""
    sizes = torch.tensor((basis or fourier.cyclic(p)).sizes, device=alpha.device)
    return alpha.square() * p**3 / sizes
