"""Losses of a network with parts of it taken away (paper §4.4, §5.1, App. A.1, Fig. 6, Fig. 15).

All evaluations are in the order in which answers are a + b (`grok.claims.anatomy`), all losses float64, in
nats, on training, on test and on all pairs.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from grok.claims import embedding, heads, neurons
from grok.claims.anatomy import Anatomy
from grok.measures import progress
from grok.measures.evaluation import Evaluation
from grok.measures.spectra import EXPLAINED
from grok.model.cross_entropy import cross_entropies
from grok.tasks import fourier
from grok.tasks.structure import Structure, plain


class Losses(NamedTuple):
    """Mean cross-entropy on each side [nats]."""

    train: float
    test: float
    all: float


def sides(each: Float[Tensor, "a=p b=p"], train: Bool[Tensor, "a=p b=p"]) -> Losses:
    """Means over the training, the test and all pairs."""
    return Losses(float(each[train].mean()), float(each[~train].mean()), float(each.mean()))


def losses(logits: Float[Tensor, "a=p b=p c=p"], evaluation: Evaluation) -> Losses:
    """The losses of other logits for the pairs of `evaluation`."""
    each = cross_entropies(logits.flatten(0, 1), evaluation.answers.flatten())
    return sides(each.view_as(evaluation.answers), evaluation.train)


def of_waves(evaluation: Evaluation, keys: Sequence[int]) -> Iterator[tuple[str, Losses]]:
    """Restricted and excluded loss in all their variants, and the fit Σ α_k cos w_k(a+b-c).

    restricted: the keys' terms and each class's mean alone; excluded: all but those terms, nothing corrected. Terms
    beside those of the answer, of a - b, of a and of b, are waves in addition alone.
    """
    L, basis, constant = evaluation.logits, evaluation.basis, evaluation.logits.mean((0, 1))
    lines = fourier.line_sums(L) / evaluation.p if evaluation.is_linear else None
    for variant in progress.VARIANTS:
        if lines is not None:
            part = progress.on_pairs(progress.block_rows(lines, keys, variant))
        elif variant == "sum":
            part = basis.projection(evaluation.means, keys)[evaluation.answers]
        else:
            continue
        yield f"restricted {variant}", losses(part + constant, evaluation)
        yield f"excluded {variant}", losses(L - part, evaluation)
    if evaluation.held_out_means is not None:
        rows = progress.restricted_logits(evaluation.held_out_means, keys, basis)
        yield "restricted held out", losses(rows[evaluation.answers], evaluation)
    others = [k for k in range(1, basis.count + 1) if k not in keys]
    yield (
        "all other frequencies removed",
        losses(L - basis.projection(evaluation.means, others)[evaluation.answers], evaluation),
    )
    wave = cosine_rows(evaluation.means, keys, evaluation.structure)[evaluation.answers]
    yield "excluded cos w(a+b-c)", losses(L - wave, evaluation)
    yield "cos w(a+b-c) alone", losses(wave, evaluation)


def cosine_rows(
    means: Float[Tensor, "y=p c=p"], keys: Sequence[int], group: Structure | None = None
) -> Float[Tensor, "y=p c=p"]:
    """Σ_k α_k cos w_k(y-c), the fit's logits for each answer y (paper §4.2)."""
    group = group or plain(len(means))
    return progress.wave_sum(progress.wave_coefficients(mean_by_offset(means, group), group), keys, group)[group.offset]


def mean_by_offset(means: Float[Tensor, "y=p c=p"], group: Structure | None = None) -> Float[Tensor, " t=p"]:
    """g(t), the mean over all pairs of L[q, y(q) + t]."""
    return progress.turned_sums(means, (group or plain(len(means))).turn) / len(means)


def of_each_frequency(
    logits: Float[Tensor, "a=p b=p c=p"], rows: Float[Tensor, "y=p c=p"], evaluation: Evaluation
) -> list[Losses]:
    """Losses of `logits` without the sum waves of one frequency k = 1 … ⌊p/2⌋ at a time (Fig. 6, Fig. 15).

    With E = exp of the wrong classes' logits, and R_k[y, c] what is removed, the wrong classes weigh
    Σ_c E[q, c] exp(-R_k[y(q), c]): one batched product for all frequencies, exact to float64.

    Args:
        rows: mean logits of each answer whose waves are removed: the network's, or its neurons' part alone.
    """
    p, basis = evaluation.p, evaluation.basis
    y = torch.arange(p)[:, None].expand(p, p)
    places = evaluation.answers.flatten().argsort(stable=True).view(p, p)
    by_answer = places // p, places % p  # the pairs of each answer
    wrong = logits[by_answer].scatter(2, y[..., None], -torch.inf)
    largest = wrong.amax(2, keepdim=True)
    margin = logits[by_answer].gather(2, y[..., None]) - largest
    removed = torch.stack([basis.projection(rows, [k]) for k in range(1, basis.count + 1)], -1)  # y, c, k
    weight = wrong.sub_(largest).exp_() @ removed.neg().exp_()
    margin = margin - removed[y[:, 0], y[:, 0]][:, None]
    each = torch.nn.functional.softplus(weight.log_().sub_(margin), threshold=700)  # y, pair, k
    return [sides(each[..., k], evaluation.train[by_answer]) for k in range(basis.count)]


def of_skip(
    evaluation: Evaluation, mlp: Float[Tensor, "a=p b=p c=p"], bias: Float[Tensor, " c=p"]
) -> Iterator[tuple[str, Losses]]:
    """The skip past the last MLP, zero or mean.

    Args:
        mlp: what the neurons add to the logits.
        bias: what b_out and b_U add, which stays.
    """
    yield "skip past the MLP zero", losses(mlp + bias, evaluation)
    yield "skip past the MLP mean", losses(mlp + (evaluation.logits - mlp).mean((0, 1)), evaluation)


def of_neurons(
    evaluation: Evaluation, mlp: Float[Tensor, "a=p b=p c=p"], keys: Sequence[int]
) -> Iterator[tuple[str, Losses]]:
    """Neurons projected, replaced, restricted and excluded."""
    L, p = evaluation.logits, evaluation.p
    assert evaluation.neurons is not None
    assert evaluation.W_L is not None
    if keys:
        directions, mean = embedding.directions(evaluation.W_L, keys), evaluation.neurons.mean((0, 1))
        inside = neurons.projection(evaluation.neurons, directions) @ evaluation.W_L.T
        of_mean = neurons.projection(mean[None, None], directions)[0, 0] @ evaluation.W_L.T
        # the neurons' mean stays where it is: it is the same for all pairs, and answers none
        yield (
            "neurons on the directions of W_L",
            losses(L - mlp + inside + (mean @ evaluation.W_L.T - of_mean), evaluation),
        )
        yield "neurons on their null space", losses(L - inside + of_mean, evaluation)
        yield "neurons on the directions of W_L, their mean projected too", losses(L - mlp + inside, evaluation)
        yield "neurons on their null space, their mean projected too", losses(L - inside, evaluation)
        del inside
    yield from _replaced(evaluation)
    means = fourier.line_sums(mlp) / p
    part = fourier.projection(means[2], keys)[evaluation.answers]
    yield "MLP restricted, mean logits as they were", losses(part + L.mean((0, 1)), evaluation)  # TransformerLens' demo
    yield "MLP excluded", losses(L - part, evaluation)  # the same demo
    yield "MLP excluded, without the skip", losses(mlp - part, evaluation)


def _replaced(evaluation: Evaluation) -> Iterator[tuple[str, Losses]]:
    """Neurons of one frequency replaced by their polynomials (paper §4.4)."""
    assert evaluation.neurons is not None
    assert evaluation.W_L is not None
    assert evaluation.explained is not None
    chosen = evaluation.explained.amax(0) > EXPLAINED
    if not chosen.any():
        return
    few, frequency = evaluation.neurons[..., chosen], neurons.frequencies(evaluation.explained)[chosen]
    W_L = evaluation.W_L[:, chosen]
    for name, variant in (("polynomials of degree 2", "3x3"), ("cos and sin w(a+b)", "sum")):
        rows = neurons.polynomial_rows(few, frequency, variant)
        # mapped to logits line by line: 4 p rows, not p² neurons
        logits = evaluation.logits + progress.on_pairs(rows @ W_L.T) - few @ W_L.T
        yield f"neurons as {name}", losses(logits, evaluation)


def of_attention(network: Anatomy) -> Iterator[tuple[str, Losses]]:
    """What attention adds (its biases too), the skip past it, and what "=" gives itself, zero or mean; attention as a
    linear function of scores."""
    evaluation, own = network.evaluation, network.streams[2]
    attended, pattern = network.attended, network.pattern

    def of(middle: Float[Tensor, "a b d_model"]) -> Losses:
        return losses(network.logits_of(middle).expand_as(evaluation.logits), evaluation)

    yield "attention zero", of(own[None])
    yield "attention mean", of((own + attended.mean((0, 1)))[None])
    yield "skip past attention zero", of(attended)
    if network.has_mlp:
        assert network.W_L is not None
        through = network.neurons_of(attended) @ network.W_L.T
        yield (
            "skip past attention zero, into the MLP alone",
            losses(network.skip_logits(network.middle) + through, evaluation),
        )
        own_neurons = network.neurons_of(network.middle) @ network.W_L.T
        yield (
            "skip past attention zero, past the MLP alone",
            losses(network.skip_logits(attended) + own_neurons, evaluation),
        )
    for name, value in (("zero", torch.zeros(())), ("mean", pattern[..., 2].mean((0, 1)))):
        without = pattern.clone()
        without[..., 2] = value
        yield f'attention of "=" to itself {name}', of(own + network.attention(without))
    yield "attention a linear function of scores", of(own + network.attention(heads.linear_pattern(network)))
