"""Claims about the loss without parts of the network."""

import math

from grok.claims.claim import LOSS, Measured, Paper, claim
from grok.claims.facts import NetworkFacts
from grok.claims.levels import costs_little, improves, needed, no_increase, ours, reported


@claim(
    "restricted_loss_ratio",
    "5.1",
    "restricted loss is below the loss of the network",
    paper=Paper("5.5e-08 (-77 %)", 5.547e-8 / LOSS),
    level=improves,
    form="ratio",
    needs=("group", "answers"),
)
def restricted_loss_ratio(facts: NetworkFacts) -> Measured:
    """Restricted loss."""
    return facts.loss_ratio("restricted sum")


@claim(
    "restricted_3x3_loss_ratio",
    "4.4",
    "so it is with all terms of the keys kept",
    paper=Paper("7.24e-08 (-70 %)", 7.24e-8 / LOSS),
    level=improves,
    form="ratio",
    needs=("waves", "answers"),
)
def restricted_3x3_loss_ratio(facts: NetworkFacts) -> Measured:
    """Restricted loss with all eight terms of each key frequency."""
    return facts.loss_ratio("restricted 3x3")


@claim(
    "excluded_loss",
    "5.1",
    "excluded loss: without its key frequencies the network is at chance level (loss over ln p)",
    paper=Paper("high; no number"),
    level=needed,
    needs=("group", "answers"),
)
def excluded_loss(facts: NetworkFacts) -> Measured:
    """Excluded loss over ln p, on training pairs as the paper has it."""
    return facts.loss_over_ln_p("excluded sum", "train")


@claim(
    "least_key_ablation_ratio",
    "4.4, Fig. 6",
    "each key frequency is needed: the least increase when one is removed",
    paper=Paper("2.0e-04 (× 830)", 2e-4 / LOSS),
    level=ours(least=10.0, why="an order of magnitude; the paper's has three"),
    form="ratio",
    needs=("group", "keys", "answers"),
)
def least_key_ablation_ratio(facts: NetworkFacts) -> Measured:
    """The least loss without one of the key frequencies."""
    original, of_keys = facts.losses["original"].all, facts.ratios_without(key=True)
    in_order = {k: of_keys[k] for k in facts.key_frequencies}
    return min(in_order.values()), ", ".join(f"{k}: {x * original:.1e}" for k, x in in_order.items())


@claim(
    "least_key_exclusion",
    "App. C.1, Fig. 15",
    "nor does it know a training pair without one: the least train loss, over the train loss",
    paper=Paper("rises; no number"),
    level=ours(least=10.0, why="an order of magnitude, as on all pairs"),
    needs=("group", "keys", "answers"),
)
def least_key_exclusion(facts: NetworkFacts) -> Measured:
    """The least train loss without one of the key frequencies, over the train loss."""
    rows = [row for row in facts.frequencies if row["k"] in facts.key_frequencies]
    each = {int(row["k"]): float(row["train_loss_without"]) for row in rows}
    note = ", ".join(f"{k}: {loss:.1e}" for k, loss in each.items())
    return min(each.values()) / facts.losses["original"].train, note


@claim(
    "largest_other_ablation_ratio",
    "4.4, Fig. 6",
    "no other frequency is: the largest increase",
    paper=Paper("no increase", 1.0),
    level=no_increase,
    form="ratio",
    needs=("group", "answers"),
)
def largest_other_ablation_ratio(facts: NetworkFacts) -> Measured:
    """The largest loss without one of the other frequencies."""
    others = facts.ratios_without(key=False)
    if not others:
        return None
    k = max(others, key=lambda k: others[k])
    return others[k], f"frequency {k}"


@claim(
    "mlp_skip_zero_loss_ratio",
    "App. A.1",
    "the skip past the MLP is unimportant: without it",
    paper=Paper("9.12e-07 (× 3.8)", 9.12e-7 / LOSS),
    level=costs_little,
    form="ratio",
    needs=("mlp", "skip", "answers"),
)
def mlp_skip_zero_loss_ratio(facts: NetworkFacts) -> Measured:
    """Loss with the skip zero-ablated."""
    return facts.loss_ratio("skip past the MLP zero")


@claim(
    "mlp_skip_mean_loss_ratio",
    "App. A.1",
    "and with its mean",
    paper=Paper("7.25e-07 (× 3.0)", 7.25e-7 / LOSS),
    level=costs_little,
    form="ratio",
    needs=("mlp", "skip", "answers"),
)
def mlp_skip_mean_loss_ratio(facts: NetworkFacts) -> Measured:
    """Loss with the skip mean-ablated."""
    return facts.loss_ratio("skip past the MLP mean")


@claim(
    "attention_zero_loss",
    "App. A.1",
    "attention is needed: loss without it, over ln p",
    paper=Paper("24.3 (5.1)", 24.3 / math.log(113)),
    level=needed,
    needs=("layer", "answers"),
)
def attention_zero_loss(facts: NetworkFacts) -> Measured:
    """Loss with attention zero-ablated, over ln p."""
    return facts.loss_over_ln_p("attention zero")


@claim(
    "attention_skip_zero_loss",
    "App. A.1",
    "the skip past attention: loss without it, over ln p",
    paper=Paper("19.1 (4.0)", 19.1 / math.log(113)),
    level=reported("what the paper took away is not known; see the variants"),
    needs=("layer", "answers"),
)
def attention_skip_zero_loss(facts: NetworkFacts) -> Measured:
    """Loss with the skip past attention zero-ablated, over ln p; beside it the variants."""
    parts = ("into the MLP alone", "past the MLP alone")
    variants = {part: facts.loss_over_ln_p(f"skip past attention zero, {part}") for part in parts}
    note = ", ".join(f"{part}: {x:.3g}" for part, x in variants.items() if x is not None)
    return facts.loss_over_ln_p("skip past attention zero"), note
