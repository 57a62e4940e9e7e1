"""Claims about what came first while the network was trained."""

import math

from grok.claims.claim import Measured, Paper, claim
from grok.claims.facts import NetworkFacts
from grok.claims.levels import earlier, faster, ours, reported


@claim(
    "sum_squared_weights",
    "5.1, Fig. 7",
    "sum of squared weights",
    paper=Paper("942 to 955"),
    level=reported("it falls as long as training goes on"),
    form="count",
)
def sum_squared_weights(facts: NetworkFacts) -> Measured:
    """Sum of squares of all parameters."""
    if not facts.evaluation.weights:
        return None
    return math.fsum(facts.evaluation.squared_weights.values())  # whatever order they come in


@claim(
    "restricted_lead",
    "5.1, Fig. 7",
    "restricted loss falls (below 1) before test loss does, by steps",
    paper=Paper("before; no number"),
    level=earlier,
    form="count",
    needs=("training", "group", "answers"),
)
def restricted_lead(facts: NetworkFacts) -> Measured:
    """Steps between the two falls."""
    return facts.record.lead(facts.record.final_keys, "final_keys/restricted_loss")


@claim(
    "key_free_lead",
    "ours",
    "so does the key-free loss, by steps",
    paper=Paper("-"),
    level=earlier,
    form="count",
    needs=("training", "answers"),
)
def key_free_lead(facts: NetworkFacts) -> Measured:
    """Steps between the two falls."""
    return facts.record.lead(facts.record.metrics, "progress/symmetrized_loss")


@claim(
    "excluded_rise",
    "5.2, Fig. 7",
    "excluded loss rises in circuit formation: its value at the end over its least",
    paper=Paper("rises; no number"),
    level=ours(least=2.0, why="more than measurements waver"),
    needs=("training", "group", "answers"),
)
def excluded_rise(facts: NetworkFacts) -> Measured:
    """Excluded loss when circuit formation ends over its least until then."""
    record, column = facts.record, "final_keys/excluded_loss"
    if record.ends is None or column not in record.final_keys:
        return None, record.why_missing
    rows = zip(record.final_keys["step"], record.final_keys[column], strict=True)
    early = [loss for step, loss in rows if step <= record.ends[1] and math.isfinite(loss)]
    return early[-1] / min(early) if early and min(early) > 0 else (None, record.why_missing)


@claim(
    "gini_rise",
    "5.2, Fig. 7",
    "Gini of W_L rises faster in clean-up than in circuit formation (ratio of rates)",
    paper=Paper("sharply; no number"),
    level=faster,
    needs=("training", "mlp", "answers"),
)
def gini_rise(facts: NetworkFacts) -> Measured:
    """Rate in clean-up over rate in circuit formation."""
    return facts.record.rate_ratio("progress/gini_W_L")


@claim(
    "weights_fall",
    "5.2, Fig. 7",
    "squared weights fall faster in clean-up than in circuit formation",
    paper=Paper("sharply; no number"),
    level=faster,
    needs=("training", "answers"),
)
def weights_fall(facts: NetworkFacts) -> Measured:
    """Rate in clean-up over rate in circuit formation."""
    return facts.record.rate_ratio("progress/sum_squared_weights")


@claim(
    "coefficients_grow_early",
    "5.2, Fig. 14",
    "coefficients of cos w(a+b-c) grow in circuit formation: share of their growth until generalized (unseen pairs)",
    paper=Paper("grow; no number"),
    level=ours(least=0.5, why="more of it than in clean-up"),
    form="percent",
    needs=("training", "group", "answers"),
)
def coefficients_grow_early(facts: NetworkFacts) -> Measured:
    """Growth of the circuit's waves before clean-up over their growth until generalized."""
    return facts.record.share_before("progress/circuit_waves")


@claim(
    "weights_inflect",
    "5.3",
    "boundaries of circuit formation are inflections of squared weights: the farther one's distance, over its length",
    paper=Paper("they coincide; no number"),
    level=ours(most=0.1, why="a tenth of circuit formation"),
    form="percent",
    needs=("training", "answers"),
)
def weights_inflect(facts: NetworkFacts) -> Measured:
    """Distance of memorization's end and clean-up's start from the nearest inflections."""
    return facts.record.distance_to_inflections("progress/sum_squared_weights")
