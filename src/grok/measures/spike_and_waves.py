"""Memorization and circuit told apart in the outputs for unseen pairs alone (ours; in no paper).

g(t) is the mean over unseen pairs of L[q, y(q) + t]. Confident wrong answers lower it at t = 0 alone: a spike
m (δ₀(t) - 1/p), whose cosine coefficient is 2m/p at every frequency. A circuit adds Σ_k α_k cos w_k t at a few. So the
coefficient that idle frequencies share measures the one, and what rises above it the other.

It needs idle frequencies: with a dozen or fewer (p below about 29) a circuit may use too many of them, and for
p = 3, whose one frequency is both, waves are 0 by construction. Where the table has more symmetries than the swap
of a and b (x² + xy + y²), partners of trained pairs are left among the unseen ones and the spike may be positive: it
measures memorization no longer, and means nothing there.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from grok.measures import progress
from grok.model.cross_entropy import cross_entropies
from grok.tasks import fourier

IDLE = 0.5  # the quantile of the coefficients that stands for the idle frequencies: their median


@dataclass(frozen=True)
class SpikeAndWaves:
    """What g says about memorization and circuit.

    Args:
        spike: m, how deep memorization pulls the right answer down [nats; negative].
        waves: w = Σ_k max(α_k - m·2/p, 0), how high the circuit lifts it [nats].
        loss: cross-entropy at t = 0 of the waves alone [nats]; ln p without any, whatever the spike.
        heights: α_k less the spike's share of it, k = 1 … ⌊p/2⌋.
        odd: norm of g's sine part over that of g, the constant left out; a circuit and a spike have none.
    """

    spike: Float[Tensor, ""]
    waves: Float[Tensor, ""]
    loss: Float[Tensor, ""]
    heights: Float[Tensor, " k"]
    odd: Float[Tensor, ""]


def spike_coefficient(alpha: Float[Tensor, " k"], p: int) -> Float[Tensor, ""]:
    """2m/p, the coefficient of the idle frequencies; the frequency p/2 of an even p, with half of it, counts double."""
    return _even(alpha, p).quantile(IDLE)


def spike_and_waves(g: Float[Tensor, " t=p"], halves: Float[Tensor, "half=2 t=p"] | None = None) -> SpikeAndWaves:
    """Spike, waves and wave loss of g; with `halves`, g over each half of the unseen pairs, an unbiased wave loss.

    A frequency is a wave where its coefficient is positive. Chosen on the pairs that it is then read from, noise
    alone makes some waves; so each half chooses for the other, and the two losses are averaged.
    """
    p = len(g)
    sets = torch.stack([g, *(halves if halves is not None else (g, g))]).double()
    components = fourier.basis(p, g.device) @ sets.T
    alpha, *choices = progress.cosine_coefficients(components[1::2], p).T
    shared = spike_coefficient(alpha, p)
    heights = _even(alpha, p) - shared
    if p % 2 == 0:
        heights[-1] /= 2
    losses = wave_losses(torch.stack(choices), torch.stack(choices[::-1]), p)
    size = components[1:, 0].norm().clamp_min(torch.finfo(torch.float64).tiny)  # without the constant
    odd = components[2:p:2, 0].norm() / size
    return SpikeAndWaves(p / 2 * shared, heights.clamp_min(0).sum(), losses.mean(), heights, odd)


def wave_losses(choice: Float[Tensor, "set k"], value: Float[Tensor, "set k"], p: int) -> Float[Tensor, " set"]:
    """Cross-entropy at t = 0 of Σ_k α_k cos w_k t over the frequencies whose coefficient is positive in `choice`."""
    waves = progress.wave_sum(torch.where(choice > 0, value, 0.0), p, range(1, p // 2 + 1))
    return cross_entropies(waves, torch.zeros(len(waves), dtype=torch.long, device=waves.device))


def key_frequencies(heights: Float[Tensor, " k"]) -> list[int]:
    """Rule `waves`: frequencies higher than a quarter of the highest, above the spike."""
    high = heights > heights.max() / 4
    return [int(k) + 1 for k in (high & (heights > 0)).nonzero().flatten()]


def _even(alpha: Float[Tensor, " k"], p: int) -> Float[Tensor, " k"]:
    """The coefficients as a spike has them, one at every frequency: that of p/2, half as large, doubled."""
    even = alpha.clone()
    if p % 2 == 0:
        even[-1] *= 2
    return even
