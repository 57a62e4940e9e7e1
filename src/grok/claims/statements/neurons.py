"""Claims about the neurons: polynomials of degree two in the waves of one frequency."""

import math

from grok.claims.claim import LOSS, Measured, Paper, claim
from grok.claims.facts import NetworkFacts
from grok.claims.levels import costs_little, explained, improves, needed, ours


@claim(
    "least_projection_explained",
    "4.2, Table 1",
    "u·MLP and v·MLP are one cos and one sin w(a+b) each: the least explained",
    paper=Paper("93.2 %", 0.932),
    level=explained,
    form="percent",
    needs=("waves", "mlp", "keys"),
)
def least_projection_explained(facts: NetworkFacts) -> Measured:
    """The least share of the variance of u·MLP and v·MLP."""
    along = facts.projections_explained
    least = math.nan if any(map(math.isnan, along)) else min(along)
    return least, " ".join(f"{100 * x:.1f}" for x in along)


@claim(
    "neurons_explained",
    "4.3",
    "neurons are degree-2 polynomials of one frequency (above 85 % of variance)",
    paper=Paper("84.6 % (433 of 512)", 433 / 512),
    level=explained,
    form="percent",
    in_groups="neurons are products of functions of one representation (above 85 % of variance)",
    needs=("mlp",),
)
def neurons_explained(facts: NetworkFacts) -> Measured:
    """Share of the neurons that have one frequency."""
    count = int(facts.belongs.sum())
    return count / len(facts.belongs), f"{count} of {len(facts.belongs)}"


@claim(
    "neurons_of_keys",
    "4.3",
    "their frequencies are the keys",
    paper=Paper("433 of 433", 433 / 433),
    level=ours(least=0.95, why="a neuron in twenty may keep a frequency that lost"),
    form="percent",
    needs=("group", "mlp", "keys"),
)
def neurons_of_keys(facts: NetworkFacts) -> Measured:
    """Share of these neurons whose frequency is a key frequency."""
    count = int(facts.belongs.sum())
    return sum(facts.neurons_of_key.values()) / count if count else None


@claim(
    "keys_with_neurons",
    "4.3",
    "every key frequency has neurons",
    paper=Paper("5 of 5", 5 / 5),
    level=explained,
    form="percent",
    needs=("group", "mlp", "keys"),
)
def keys_with_neurons(facts: NetworkFacts) -> Measured:
    """Share of the key frequencies that have neurons."""
    counts = facts.neurons_of_key
    with_neurons = sum(count > 0 for count in counts.values())
    return with_neurons / len(counts), ", ".join(f"{k}: {count}" for k, count in counts.items())


@claim(
    "least_cluster_columns",
    "4.3, Fig. 5",
    "columns of W_L of one frequency's neurons hold that frequency alone: the least share of their squared norm",
    paper=Paper("as drawn; no number"),
    level=ours(least=0.9, why="nine tenths"),
    form="percent",
    needs=("group", "mlp", "keys", "answers"),
)
def least_cluster_columns(facts: NetworkFacts) -> Measured:
    """The least share of its own frequency in the columns of W_L of a cluster of neurons."""
    each = facts.columns_of_clusters
    note = ", ".join(f"{k}: {100 * share:.1f} %" for k, share in each.items())
    return min(each.values(), default=None), note


@claim(
    "polynomial_loss_ratio",
    "4.4",
    "replacing these neurons by their polynomials costs little",
    paper=Paper("2.48e-07 (+3 %)", 2.48e-7 / LOSS),
    level=costs_little,
    form="ratio",
    needs=("waves", "mlp", "answers"),
)
def polynomial_loss_ratio(facts: NetworkFacts) -> Measured:
    """Loss with the neurons replaced."""
    return facts.loss_ratio("neurons as polynomials of degree 2")


@claim(
    "sum_polynomial_loss_ratio",
    "4.4",
    "keeping only cos and sin w(a+b) of them improves the loss",
    paper=Paper("5.54e-08 (-77 %)", 5.54e-8 / LOSS),
    level=improves,
    form="ratio",
    needs=("waves", "mlp", "answers"),
)
def sum_polynomial_loss_ratio(facts: NetworkFacts) -> Measured:
    """Loss with the neurons' sum waves alone."""
    return facts.loss_ratio("neurons as cos and sin w(a+b)")


@claim(
    "directions_loss_ratio",
    "4.4",
    "neurons projected on the 2|K| directions of W_L improve the loss",
    paper=Paper("1.19e-07 (-50 %)", 1.19e-7 / LOSS),
    level=improves,
    form="ratio",
    needs=("waves", "mlp", "keys", "answers"),
)
def directions_loss_ratio(facts: NetworkFacts) -> Measured:
    """Loss with the neurons on these directions."""
    return facts.loss_ratio("neurons on the directions of W_L")


@claim(
    "null_space_loss",
    "4.4",
    "neurons projected on their null space know nothing (loss over ln p)",
    paper=Paper("5.27 (1.11)", 5.27 / math.log(113)),
    level=needed,
    needs=("waves", "mlp", "keys", "answers"),
)
def null_space_loss(facts: NetworkFacts) -> Measured:
    """Loss with the neurons off these directions, over ln p."""
    return facts.loss_over_ln_p("neurons on their null space")
