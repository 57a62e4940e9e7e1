"""What attention heads look at, and what they hand on (paper App. A.1, C.1.3, Table 2)."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from grok.claims.anatomy import Anatomy, Pattern
from grok.measures import spectra
from grok.tasks.structure import Structure

MULTIPLIES = 0.5  # share of what a head hands on at its own frequency, above which it multiplies


class Heads(NamedTuple):
    """One entry a head."""

    frequency: Int[Tensor, " head"]  # of its attention to a
    explained: Float[Tensor, " head"]  # share of that attention's variance in waves of wa and of wb alone
    explained_degree_2: Float[Tensor, " head"]  # and in all eight terms of degree two
    score_explained: Float[Tensor, " head"]  # share of the scores' variance over numbers at that frequency
    attention: Float[Tensor, "head position=3"]  # mean attention to a, b and "="
    attention_deviation: Float[Tensor, " head"]  # standard deviation of that to a over pairs
    own_share: Float[Tensor, " head"]  # share of W_in W_O W_V W_E's squared norm at that frequency


def heads(network: Anatomy) -> Heads:
    """Each head's single frequency, how much of it that explains, and what passes through it."""
    to_a = network.pattern[..., 0]
    p, group = network.p, network.evaluation.structure
    sums = to_a.sum(1)[group.first.argsort()], to_a.sum(0)[group.second.argsort()]  # a row an element of the group
    centred = to_a - to_a.mean((0, 1))
    variance = centred.square().sum((0, 1))
    linear = (_energy(sums[0], group) + _energy(sums[1], group)) / p / variance  # k, head
    explained, best = linear.max(0)
    of_a, of_b, _ = network.scores
    scores = _energy(torch.stack([of_a[group.first.argsort()], of_b[group.second.argsort()]], 1).flatten(1), group)
    shares = (scores / scores.sum(0)).view(len(scores), 2, -1)
    head = torch.arange(len(best))
    return Heads(
        frequency=best + 1,
        explained=explained,
        explained_degree_2=spectra.explained_variance(to_a, group)[best, head],
        score_explained=shares[best, 0, head],
        attention=network.pattern.mean((0, 1)),
        attention_deviation=to_a.std((0, 1), correction=0),
        own_share=handed_on(network)[best, head],
    )


def handed_on(network: Anatomy) -> Float[Tensor, "k head"]:
    """Share of each frequency in what each head makes of the numbers, W_in W_O W_V W_E (no MLP: W_O W_V W_E)."""
    group = network.evaluation.structure
    numbers = network["W_E"][:, network.first[group.first.argsort()]]
    W_O = network["W_O"].view(-1, *network["W_V"].shape[:2])  # d_model, head, d_head
    out = torch.einsum("dhe,hef,fx->xhd", W_O, network["W_V"], numbers)
    if network.has_mlp:
        out = out @ network["W_in"].T
    norms = torch.stack([group.basis.norms(group.basis.component_norms(x)) for x in out.unbind(1)], 1)
    return norms.square() / norms.square().sum(0)


def multiply(found: Heads) -> Tensor:
    """Which heads multiply waves: those that hand on mostly the frequency that their attention has.

    Others hand on all frequencies alike, weighted by attention: they amplify W_E. (The paper tells the two
    kinds by looking; this rule is this project's.)
    """
    return found.own_share > MULTIPLIES


def linear_pattern(network: Anatomy) -> Pattern:
    """Attention to a and to b as the best linear function of the difference of their scores; that to "=" its mean
    (paper App. C.1.3)."""
    a, b, _ = network.scores
    x = a[:, None] - b
    x = x - x.mean((0, 1))
    pattern = network.pattern
    mean = pattern.mean((0, 1))
    slope = (pattern * x[..., None]).sum((0, 1)) / x.square().sum((0, 1)).clamp_min(1e-300)[:, None]
    slope[:, 2] = 0
    return mean + slope * x[..., None]


def _energy(sums: Float[Tensor, "x=p d"], group: Structure) -> Float[Tensor, "k d"]:
    """Squared components of each frequency along x, cos and sin together."""
    return group.basis.energies((group.basis.on(sums.device)[1:] @ sums).square())
