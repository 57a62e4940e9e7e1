"""Claims about the logits: their spectrum over (a, b), and Σ α cos w(a+b-c)."""

from grok.claims import logits
from grok.claims.claim import LOSS, Measured, Paper, claim
from grok.claims.facts import NetworkFacts
from grok.claims.levels import explained, improves, ours


@claim(
    "significant_in_blocks",
    "4.1",
    "large 2D components of the logits (above ¼ of the largest) lie in the keys' 2×2 blocks",
    paper=Paper("20 of 20", 20 / 20),
    level=explained,
    form="percent",
    needs=("waves",),
)
def significant_in_blocks(facts: NetworkFacts) -> Measured:
    """Share of the large components that lie in the blocks."""
    K = facts.key_frequencies
    large = logits.significant(logits.spectrum(facts.evaluation.logits))
    inside = large & logits.in_blocks(facts.p, K)
    return float(inside.sum() / large.sum()), f"{int(inside.sum())} of {int(large.sum())}; 4|K| = {4 * len(K)}"


@claim(
    "significant_count",
    "4.1",
    "and they are four for each key frequency: how many there are, over 4|K|",
    paper=Paper("20 for 5", 20 / 20),
    level=ours(least=0.75, most=1.25, why="a quarter more or fewer"),
    form="percent",
    needs=("waves", "keys", "answers"),
)
def significant_count(facts: NetworkFacts) -> Measured:
    """Large components over four for each key frequency."""
    large = int(logits.significant(logits.spectrum(facts.evaluation.logits)).sum())
    return large / (4 * len(facts.key_frequencies)), f"{large} for {len(facts.key_frequencies)}"


@claim(
    "logits_in_sum_waves",
    "4.2",
    "logits are made of cos and sin w(a+b) of the keys: share of their variance",
    paper=Paper("≥ 95 % (by its fit)", 0.95),
    level=explained,
    form="percent",
    in_groups="logits are made of the matrix elements ρ(ab) of the keys: share of their variance",
    needs=("group",),
)
def logits_in_sum_waves(facts: NetworkFacts) -> Measured:
    """Share of the logits' variance in the sum waves of the key frequencies."""
    evaluation = facts.evaluation
    inside = logits.variance_of_waves(evaluation.means, facts.key_frequencies, evaluation.basis)
    return float(inside / facts.logits_variance)


@claim(
    "logits_fit",
    "4.2",
    "logits are Σ α cos w(a+b-c) over the keys: share of their variance (logits explained)",
    paper=Paper("95 %", 0.95),
    level=explained,
    form="percent",
    in_groups="logits are Σ α χ_ρ((ab)⁻¹c) over the keys: share of their variance (logits explained)",
    needs=("group",),
)
def logits_fit(facts: NetworkFacts) -> Measured:
    """Share of the logits' variance in the fit."""
    each = logits.variances_of_cosines(facts.wave_coefficients, facts.p, facts.evaluation.basis)
    return float(each[[k - 1 for k in facts.key_frequencies]].sum() / facts.logits_variance)


@claim(
    "fit_loss_ratio",
    "4.2",
    "that sum answers better than the network",
    paper=Paper("4.7e-08 (-80 %)", 4.7e-8 / LOSS),
    level=improves,
    form="ratio",
    needs=("group", "answers"),
)
def fit_loss_ratio(facts: NetworkFacts) -> Measured:
    """Loss of the fit."""
    return facts.loss_ratio("cos w(a+b-c) alone")


@claim(
    "one_cosine_loss_ratio",
    "App. B",
    "one cosine is not enough: the least loss by one key frequency alone",
    paper=Paper("side peaks of 0.998; no loss"),
    level=ours(least=10.0, why="an order of magnitude"),
    form="ratio",
    in_groups="one representation is not enough: the least loss by one key alone",
    needs=("group", "keys", "answers"),
)
def one_cosine_loss_ratio(facts: NetworkFacts) -> Measured:
    """The least restricted loss by a single key frequency."""
    if len(facts.key_frequencies) == 1:
        return None, "it has one key frequency"
    each, original = facts.losses_of_one, facts.losses["original"].all
    return min(each.values()) / original, ", ".join(f"{k}: {loss:.2g}" for k, loss in each.items())


@claim(
    "restricted_accuracy",
    "App. C.1.5, Fig. 13",
    "the key frequencies' waves alone answer every pair: accuracy",
    paper=Paper("rises to 100 %"),
    level=ours(least=0.99, why="all but a hundredth"),
    form="percent",
    in_groups="the keys' representations alone answer every pair: accuracy",
    needs=("group", "keys", "answers"),
)
def restricted_accuracy(facts: NetworkFacts) -> Measured:
    """Accuracy on all pairs by the sum waves of the key frequencies."""
    return facts.accuracies["restricted"]


@claim(
    "excluded_accuracy",
    "App. C.1.5",
    "without them it answers hardly a training pair: accuracy",
    paper=Paper("no number"),
    level=ours(most=0.1, why="one pair in ten"),
    form="percent",
    needs=("group", "keys", "answers"),
)
def excluded_accuracy(facts: NetworkFacts) -> Measured:
    """Accuracy on training pairs without the sum waves of the key frequencies."""
    return facts.accuracies["excluded"]
