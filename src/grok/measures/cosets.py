"""Whether neurons see cosets: how little they vary within those of one subgroup (2312.06581).

The field disputes whether networks that learn a group use its representations (2302.03025) or its cosets (2312.06581).
A function of one representation may be nearly constant on cosets and the other way round, so both are reported, side by
side with `grok.measures.spectra.explained_variance`.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from grok.tasks.structure import Structure
from grok.tasks.subgroups import cosets, subgroups


def coset_concentration(
    neurons: Float[Tensor, "a=n b=n neuron"], group: Structure
) -> Float[Tensor, "number=2 neuron"] | None:
    """Of each neuron's mean as a function of a, and of b: its variance within the cosets of a subgroup over its whole
    variance, least over all subgroups and over left and right cosets. Near 0 for a coset neuron.

    Of random functions a subgroup of h elements leaves (1 - 1/h) n / (n - 1), the least of many rather less. None where
    the group has no subgroups beside itself and the identity, or too many to look at; nan for a function that never
    changes.
    """
    found = subgroups(group.turn.cpu())
    if not found:
        return None
    of_a = neurons.mean(1, dtype=torch.float64)[group.first.argsort()]
    of_b = neurons.mean(0, dtype=torch.float64)[group.second.argsort()]
    means = torch.stack([of_a, of_b], 1)  # element, number, neuron
    means = means - means.mean(0)
    whole = means.square().sum(0)
    between = torch.zeros_like(whole)  # the most of the variance that the means of cosets have
    for members in found:
        for left in (True, False):
            coset = cosets(group.turn.cpu(), members, left).to(means.device)
            sums = torch.zeros_like(means).index_add_(0, coset, means)
            between = torch.maximum(between, sums.square().sum(0) / len(members))
    alive = whole > 1e-12 * neurons.double().square().mean((0, 1)) * len(neurons)
    return torch.where(alive, 1 - between / torch.where(alive, whole, 1.0), torch.nan)
