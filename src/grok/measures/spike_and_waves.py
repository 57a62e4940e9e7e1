"""Memorization and circuit told apart in the outputs for unseen pairs alone (ours; in no paper).

g(t) is the mean over unseen pairs of L[q, y(q) + t]. Confident wrong answers lower it at t = 0 alone: a spike
m (δ₀(t) - 1/p), whose cosine coefficient is 2m/p at every frequency. A circuit adds Σ_k α_k cos w_k t at a few. So the
coefficient that idle frequencies share measures the one, and what rises above it the other.

What is said of frequencies holds for the representations of any group: g is then the mean of L[q, y(q)·t], Σ_k runs
over their real characters, each over its value at the identity, and a spike has the coefficient m·d/n at one whose
block has d functions (`grok.tasks.bases`): 2m/p for a frequency of addition.

It needs idle frequencies: with a dozen or fewer (p below about 29) a circuit may use too many of them, and for
p = 3, whose one frequency is both, waves are 0 by construction. Where the table has more symmetries than the swap
of a and b (x² + xy + y²), partners of trained pairs are left among the unseen ones and the spike may be positive: it
measures memorization no longer, and means nothing there.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from grok.model.cross_entropy import cross_entropies
from grok.tasks.structure import Structure, plain

IDLE = 0.5  # the quantile of the coefficients that stands for the idle frequencies: their median


@dataclass(frozen=True)
class SpikeAndWaves:
    """What g says about memorization and circuit.

    Args:
        spike: m, how deep memorization pulls the right answer down [nats; negative].
        waves: w = Σ_k max(α_k - m·2/p, 0), how high the circuit lifts it [nats].
        loss: cross-entropy at t = 0 of the waves alone [nats]; ln p without any, whatever the spike.
        heights: α_k less the spike's share of it, for each frequency or representation k.
        odd: norm of g's part beside its characters (its sines, for addition) over that of g, the constant left out; a
            circuit and a spike have none.
    """

    spike: Float[Tensor, ""]
    waves: Float[Tensor, ""]
    loss: Float[Tensor, ""]
    heights: Float[Tensor, " k"]
    odd: Float[Tensor, ""]


def spike_and_waves(
    g: Float[Tensor, " t=p"], halves: Float[Tensor, "half=2 t=p"] | None = None, group: Structure | None = None
) -> SpikeAndWaves:
    """Spike, waves and wave loss of g; with `halves`, g over each half of the unseen pairs, an unbiased wave loss.

    A frequency is a wave where its coefficient is positive. Chosen on the pairs that it is then read from, noise
    alone makes some waves; so each half chooses for the other, and the two losses are averaged. Without a group, that
    of addition.
    """
    p = len(g)
    group = group or plain(p)
    characters = group.basis.characters(g.device)
    tops = characters[:, group.identity]  # √(d/n), where a block has d functions
    sets = torch.stack([g, *(halves if halves is not None else (g, g))]).double()
    components = characters @ sets.T
    alpha, *choices = (components * tops[:, None]).T
    shared = (alpha / tops.square()).quantile(IDLE)  # m: coefficients as a spike has them, one at every frequency
    heights = alpha - shared * tops.square()
    choice, value = torch.stack(choices), torch.stack(choices[::-1])
    losses = symmetrized_losses(torch.where(choice > 0, value, 0.0) / tops @ characters, group.identity)
    beside = group.basis.on(g.device) @ sets[0]
    beside[0] = 0  # the constant
    size = beside.norm().clamp_min(torch.finfo(torch.float64).tiny)
    beside[list(group.basis.starts[:-1])] = 0
    return SpikeAndWaves(shared, heights.clamp_min(0).sum(), losses.mean(), heights, beside.norm() / size)


def symmetrized_losses(g: Float[Tensor, "set t=p"], identity: int) -> Float[Tensor, " set"]:
    """Cross-entropy of each g, whose right answer is the identity."""
    return cross_entropies(g, torch.full((len(g),), identity, device=g.device))


def key_frequencies(heights: Float[Tensor, " k"]) -> list[int]:
    """Rule `waves`: frequencies higher than a quarter of the highest, above the spike."""
    high = heights > heights.max() / 4
    return [int(k) + 1 for k in (high & (heights > 0)).nonzero().flatten()]
