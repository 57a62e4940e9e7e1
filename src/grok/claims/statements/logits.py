"""Claims about the logits: their spectrum over (a, b), and Σ α cos w(a+b-c)."""

from grok.claims import logits
from grok.claims.claim import LOSS, Measured, Paper, claim
from grok.claims.facts import NetworkFacts
from grok.claims.levels import explained, improves


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
    "logits_in_sum_waves",
    "4.2",
    "logits are made of cos and sin w(a+b) of the keys: share of their variance",
    paper=Paper("≥ 95 % (by its fit)", 0.95),
    level=explained,
    form="percent",
    needs=("waves",),
)
def logits_in_sum_waves(facts: NetworkFacts) -> Measured:
    """Share of the logits' variance in the sum waves of the key frequencies."""
    return float(logits.variance_of_waves(facts.evaluation.means, facts.key_frequencies) / facts.logits_variance)


@claim(
    "logits_fit",
    "4.2",
    "logits are Σ α cos w(a+b-c) over the keys: share of their variance",
    paper=Paper("95 %", 0.95),
    level=explained,
    form="percent",
    needs=("waves",),
)
def logits_fit(facts: NetworkFacts) -> Measured:
    """Share of the logits' variance in the fit."""
    each = logits.variances_of_cosines(facts.wave_coefficients, facts.p)
    return float(each[[k - 1 for k in facts.key_frequencies]].sum() / facts.logits_variance)


@claim(
    "fit_loss_ratio",
    "4.2",
    "that sum answers better than the network",
    paper=Paper("4.7e-08 (-80 %)", 4.7e-8 / LOSS),
    level=improves,
    form="ratio",
    needs=("waves",),
)
def fit_loss_ratio(facts: NetworkFacts) -> Measured:
    """Loss of the fit."""
    return facts.loss_ratio("cos w(a+b-c) alone")
