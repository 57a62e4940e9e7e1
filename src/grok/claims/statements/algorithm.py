"""Two numbers said to tell which algorithm adds (arXiv 2306.17844; its references are p = 59 networks).

Later work (arXiv 2512.25060) finds that they do not separate circuits. So they are reported, and judge nothing.
"""

from grok.claims import algorithm
from grok.claims.claim import Measured, Paper, claim
from grok.claims.facts import NetworkFacts
from grok.claims.levels import reported

DISPUTED = reported("whether it tells clocks from pizzas is disputed (2512.25060)")


@claim(
    "gradient_symmetricity",
    "2306.17844",
    "gradient symmetricity",
    paper=Paper("clock 0.33, pizza 0.99", 0.3336),
    level=DISPUTED,
    needs=("embeddings", "answers"),
)
def gradient_symmetricity(facts: NetworkFacts) -> Measured:
    """Mean cosine of the gradients by either number's embedding, with its standard error."""
    network = facts.other or facts.anatomy
    of_a, of_b = network.numbers
    each = algorithm.gradient_symmetricity(network.logits_from, of_a, algorithm.triples(facts.p), of_b)
    return float(each.mean()), f"± {float(each.std()) / len(each) ** 0.5:.3f}, over {len(each):,} triples"


@claim(
    "distance_irrelevance",
    "2306.17844",
    "distance irrelevance",
    paper=Paper("clock 0.85, pizza 0.17", 0.85),
    level=DISPUTED,
    needs=("waves", "odd", "answers"),
)
def distance_irrelevance(facts: NetworkFacts) -> Measured:
    """How little the right answer's logit depends on a - b."""
    evaluation = facts.evaluation
    correct = evaluation.logits.gather(2, evaluation.answers[..., None])[..., 0]
    return float(algorithm.distance_irrelevance(correct))
