"""Claims about what attention heads look at and hand on."""

from grok.claims import heads
from grok.claims.claim import LOSS, Measured, Paper, claim
from grok.claims.facts import NetworkFacts
from grok.claims.levels import changes_nothing, explained, improves, ours, small, true


@claim(
    "self_attention",
    "App. A.1",
    '"=" hardly attends to itself: the head that does most',
    paper=Paper("0.4 %", 0.004),
    level=small,
    form="percent",
    needs=("layer",),
)
def self_attention(facts: NetworkFacts) -> Measured:
    """The largest mean attention of a head from "=" to itself."""
    return float(facts.of_heads.attention[:, 2].max())


@claim(
    "self_attention_loss_ratio",
    "App. A.1",
    "without that attention nothing changes",
    paper=Paper("no change", 1.0),
    level=changes_nothing,
    form="ratio",
    needs=("layer", "answers"),
)
def self_attention_loss_ratio(facts: NetworkFacts) -> Measured:
    """Loss without it."""
    return facts.loss_ratio('attention of "=" to itself zero')


@claim(
    "least_head_explained",
    "App. C.1.3, Table 2",
    "each head's attention is waves of one frequency: the least explained",
    paper=Paper("97.91 %", 0.9791),
    in_groups="each head's attention is functions of one representation, of a and of b: the least explained",
    level=explained,
    form="percent",
    needs=("layer",),
)
def least_head_explained(facts: NetworkFacts) -> Measured:
    """The least share of a head's variance at its frequency."""
    each = facts.of_heads
    rows = zip(each.frequency.tolist(), each.explained.tolist(), strict=True)
    return float(each.explained.min()), ", ".join(f"{k} ({100 * share:.2f} %)" for k, share in rows)


@claim(
    "heads_of_two_kinds",
    "App. C.1.3",
    "some heads multiply waves of one frequency, the others amplify W_E",
    paper=Paper("2 of 4 multiply", 1.0),
    in_groups="some heads hand on the representation that they attend by, the others amplify W_E",
    level=true,
    form="truth",
    needs=("layer",),
)
def heads_of_two_kinds(facts: NetworkFacts) -> Measured:
    """Whether some heads multiply and some do not."""
    multiply = heads.multiply(facts.of_heads)
    count = int(multiply.sum())
    return float(0 < count < len(multiply)), f"{count} of {len(multiply)} multiply"


@claim(
    "amplifying_attention",
    "App. C.1.3",
    "attention of an amplifying head to a and to b sums to one: the least mean sum",
    paper=Paper("about 1"),
    level=ours(least=0.99, why="all but a hundredth"),
    needs=("layer", "answers"),
)
def amplifying_attention(facts: NetworkFacts) -> Measured:
    """The least mean attention of such a head to a and b together."""
    amplify = ~heads.multiply(facts.of_heads)
    if not amplify.any():
        return None, "all heads multiply"
    each = facts.of_heads.attention[amplify, :2].sum(1)
    return float(each.min()), f"{len(each)} of {len(amplify)} heads amplify"


@claim(
    "linear_attention_loss_ratio",
    "App. C.1.3",
    "attention as a linear function of scores improves the loss",
    paper=Paper("2.12e-07 (-12 %)", 2.12e-7 / LOSS),
    level=improves,
    form="ratio",
    needs=("layer", "answers"),
)
def linear_attention_loss_ratio(facts: NetworkFacts) -> Measured:
    """Loss with linear attention."""
    return facts.loss_ratio("attention a linear function of scores")
