"""All numbers of one network that the claims are judged by, and more of them for whoever wants to look."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from jaxtyping import Float
from torch import Tensor

from grok.claims import ablations, algorithm, embedding, heads, logits, neurons
from grok.claims.ablations import Losses
from grok.claims.anatomy import Anatomy
from grok.claims.criteria import NEEDS
from grok.measures import progress, spectra
from grok.measures.evaluation import Evaluation
from grok.measures.spectra import EXPLAINED
from grok.tasks import fourier


@dataclass
class Findings:
    """What was found in one network.

    Attributes:
        key_frequencies: K.
        values: the number behind each claim, by `Claim.finding`; absent where it does not apply.
        unmet: what the network lacks of `criteria.NEEDS`, and why.
        losses: of every ablation, by its name.
        frequencies: a row for each k: norms, coefficients, losses without it.
        heads, neurons, algorithm: of each head; of each key frequency; which algorithm.
    """

    p: int
    key_frequencies: list[int]
    values: dict[str, float] = field(default_factory=dict)
    unmet: dict[str, str] = field(default_factory=dict)
    losses: dict[str, Losses] = field(default_factory=dict)
    frequencies: list[dict[str, float]] = field(default_factory=list)
    heads: list[dict[str, Any]] = field(default_factory=list)
    neurons: dict[str, Any] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)

    def ratio(self, finding: str, name: str) -> None:
        """The loss on all pairs of the ablation `name`, over the original one."""
        if name in self.losses:
            self.values[f"{finding}_ratio"] = self.losses[name].all / self.losses["original"].all

    def of_ln_p(self, finding: str, name: str, side: str = "all") -> None:
        """The loss of the ablation `name` on one side, over ln p."""
        if name in self.losses:
            self.values[finding] = getattr(self.losses[name], side) / math.log(self.p)


def findings(
    evaluation: Evaluation, network: Anatomy | None, bias: Float[Tensor, " c=p"], rule: str | Sequence[int] = "W_L"
) -> Findings:
    """Everything there is to find in a network.

    Args:
        evaluation: of all pairs, in the order in which answers are a + b where that is possible (float64).
        network: its parts; None for more than one layer.
        bias: what the last layer's b_out and b_U add to the logits.
        rule: of the key frequencies, as in `grok.measures.evaluation`.
    """
    found = Findings(evaluation.p, evaluation.key_frequencies(rule) or [])
    found.losses["original"] = ablations.sides(evaluation.losses, evaluation.train)
    _of_weights(found, evaluation)
    has = {
        "waves": evaluation.is_linear,
        "mlp": evaluation.neurons is not None,
        "layer": network is not None,
        "keys": bool(found.key_frequencies),
        "odd": evaluation.p % 2 == 1,
        "training": False,
    }
    found.unmet = {need: reason for need, reason in NEEDS.items() if not has[need]}
    if network is not None:
        found.losses.update(ablations.of_attention(network))
        _of_attention(found, network)
    mlp = None if evaluation.neurons is None or evaluation.W_L is None else evaluation.neurons @ evaluation.W_L.T
    if mlp is not None:
        found.losses.update(ablations.of_skip(evaluation, mlp, bias))
        _of_neurons(found, evaluation)
    if evaluation.is_linear:
        if mlp is not None:
            found.losses.update(ablations.of_neurons(evaluation, mlp, found.key_frequencies))
            _of_key_neurons(found, evaluation)
        _of_waves(found, evaluation, mlp)
        del mlp
        found.losses.update(ablations.of_waves(evaluation, found.key_frequencies))
        _of_ablations(found)
        if has["odd"]:
            correct = evaluation.logits.gather(2, evaluation.answers[..., None])[..., 0]
            found.values["distance_irrelevance"] = float(algorithm.distance_irrelevance(correct))
    return found


def _of_weights(found: Findings, evaluation: Evaluation) -> None:
    """W_E and W_L in the Fourier basis; one row for each frequency."""
    K, p = found.key_frequencies, evaluation.p
    found.frequencies = [{"k": k} for k in range(1, p // 2 + 1)]
    for name, components in (("W_E", evaluation.W_E_components), ("W_L", evaluation.W_L_components)):
        if components is None:
            continue
        norms = fourier.frequency_norms(components)
        found.values[f"gini_{name}"] = float(spectra.gini(norms))
        found.notes[f"gini_{name}"] = f"{float(spectra.gini(components)):.3f} over components"
        for row, norm in zip(found.frequencies, norms.tolist(), strict=True):
            row[f"norm_{name}"] = norm
    W_E_keys = evaluation.key_frequencies("W_E") or []
    found.values["W_E_frequencies_share"] = len(W_E_keys) / (p // 2)
    found.notes["W_E_frequencies_share"] = " ".join(map(str, W_E_keys))
    if K:
        found.values["key_count_share"] = len(K) / (p // 2)
        found.notes["key_count_share"] = " ".join(map(str, K))
        found.values["keys_in_W_E"] = sum(k in W_E_keys for k in K) / len(K)
        if evaluation.W_L is not None:
            left = float(embedding.residual_share(evaluation.W_L, K))
            found.values["W_L_residual"] = left
            found.notes["W_L_residual"] = f"{100 * left**2:.2g} % of the squared norm"
    if evaluation.W_E is not None:
        found.values["circularity"] = float(algorithm.circularity(evaluation.W_E))


def _of_attention(found: Findings, network: Anatomy) -> None:
    each = heads.heads(network)
    found.values["self_attention"] = float(each.attention[:, 2].max())
    found.values["least_head_explained"] = float(each.explained.min())
    found.notes["least_head_explained"] = ", ".join(
        f"{k} ({100 * e:.2f} %)" for k, e in zip(each.frequency.tolist(), each.explained.tolist(), strict=True)
    )
    many = heads.multiply(each)
    found.values["heads_of_two_kinds"] = float(0 < int(many.sum()) < len(many))
    found.notes["heads_of_two_kinds"] = f"{int(many.sum())} of {len(many)} multiply"
    for h, row in enumerate(zip(*each, strict=True)):
        scores = {f"scores_of_{x}": network.scores[i][:, h].tolist() for i, x in enumerate("ab")}  # of each number
        found.heads.append({**{name: x.tolist() for name, x in zip(each._fields, row, strict=True)}, **scores})
    found.ratio("self_attention_loss", 'attention of "=" to itself zero')
    found.ratio("linear_attention_loss", "attention a linear function of scores")
    found.of_ln_p("attention_zero_loss", "attention zero")
    found.of_ln_p("attention_skip_zero_loss", "skip past attention zero")
    numbers = network["W_E"].T[: network.p]
    symmetric = algorithm.gradient_symmetricity(network.logits_from, numbers, algorithm.triples(network.p))
    found.values["gradient_symmetricity"] = float(symmetric)


def _of_waves(found: Findings, evaluation: Evaluation, mlp: Tensor | None) -> None:
    """The logits' spectrum and their fit, and losses without each frequency."""
    K, p = found.key_frequencies, evaluation.p
    norms = logits.spectrum(evaluation.logits)
    large = logits.significant(norms)
    inside = large & logits.in_blocks(p, K)
    found.values["significant_in_blocks"] = float(inside.sum() / large.sum())
    found.notes["significant_in_blocks"] = f"{int(inside.sum())} of {int(large.sum())}; 4|K| = {4 * len(K)}"
    variance = logits.variance(evaluation.logits)
    alpha = progress.wave_coefficients(ablations.mean_by_offset(evaluation.means))
    each = logits.variances_of_cosines(alpha, p)
    cosine = (each / evaluation.logits.square().sum()).sqrt() * alpha.sign()
    found.values["logits_in_sum_waves"] = float(logits.variance_of_waves(evaluation.means, K) / variance)
    found.values["logits_fit"] = float(each[[k - 1 for k in K]].sum() / variance)
    without = ablations.of_each_frequency(evaluation.logits, evaluation.means, evaluation)
    columns: dict[str, Sequence[float]] = {
        "cos_coefficient": alpha.tolist(),
        "cos_similarity": cosine.tolist(),
        "loss_without": [x.all for x in without],
        "train_loss_without": [x.train for x in without],
    }
    if mlp is not None:
        rows = fourier.line_sums(mlp)[2] / p
        columns["loss_without_in_neurons"] = [
            x.all for x in ablations.of_each_frequency(evaluation.logits, rows, evaluation)
        ]
    for name, column in columns.items():
        for row, value in zip(found.frequencies, column, strict=True):
            row[name] = value


def _of_neurons(found: Findings, evaluation: Evaluation) -> None:
    """How many neurons have a frequency, and what passes by them."""
    assert evaluation.explained is not None
    best = evaluation.explained.amax(0)
    count = int((best > EXPLAINED).sum())
    found.values["neurons_explained"] = count / len(best)
    found.notes["neurons_explained"] = f"{count} of {len(best)}"
    found.neurons = {"explained": best.tolist(), "frequency": neurons.frequencies(evaluation.explained).tolist()}
    found.ratio("mlp_skip_zero_loss", "skip past the MLP zero")
    found.ratio("mlp_skip_mean_loss", "skip past the MLP mean")


def _of_key_neurons(found: Findings, evaluation: Evaluation) -> None:
    """Which frequencies the neurons have, and what they add along W_L's directions."""
    assert evaluation.explained is not None
    assert evaluation.neurons is not None
    assert evaluation.W_L is not None
    K = found.key_frequencies
    belongs = neurons.frequencies(evaluation.explained)[evaluation.explained.amax(0) > EXPLAINED].tolist()
    counts = {k: belongs.count(k) for k in K}
    found.neurons |= {"per_key": counts, "of_others": len(belongs) - sum(counts.values())}
    if K and belongs:
        found.values["neurons_of_keys"] = sum(counts.values()) / len(belongs)
    if K:
        found.values["keys_with_neurons"] = sum(count > 0 for count in counts.values()) / len(K)
        found.notes["keys_with_neurons"] = ", ".join(f"{k}: {count}" for k, count in counts.items())
        along = neurons.projections_explained(evaluation.neurons, embedding.directions(evaluation.W_L, K), K)
        found.values["least_projection_explained"] = float(along.min())
        found.notes["least_projection_explained"] = " ".join(f"{100 * x:.1f}" for x in along.tolist())
        found.neurons["projections_explained"] = along.tolist()
    found.ratio("polynomial_loss", "neurons as polynomials of degree 2")
    found.ratio("sum_polynomial_loss", "neurons as cos and sin w(a+b)")
    found.ratio("directions_loss", "neurons on the directions of W_L")
    found.of_ln_p("null_space_loss", "neurons on their null space")


def _of_ablations(found: Findings) -> None:
    found.ratio("fit_loss", "cos w(a+b-c) alone")
    found.ratio("restricted_loss", "restricted sum")
    found.ratio("restricted_3x3_loss", "restricted 3x3")
    found.of_ln_p("excluded_loss", "excluded sum", "train")  # as the paper has it
    original = found.losses["original"].all
    without = {int(row["k"]): row["loss_without"] / original for row in found.frequencies}
    of_keys = {k: without[k] for k in found.key_frequencies}
    others = {k: x for k, x in without.items() if k not in of_keys}
    if of_keys:
        found.values["least_key_ablation_ratio"] = min(of_keys.values())
        found.notes["least_key_ablation_ratio"] = ", ".join(f"{k}: {x * original:.1e}" for k, x in of_keys.items())
    if others:
        k = max(others, key=lambda k: others[k])
        found.values["largest_other_ablation_ratio"] = others[k]
        found.notes["largest_other_ablation_ratio"] = f"frequency {k}"
