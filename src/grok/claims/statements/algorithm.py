"""Claims about which algorithm adds (arXiv 2306.17844; its numbers are for p = 59 networks)."""

from grok.claims import algorithm
from grok.claims.claim import Measured, Paper, claim
from grok.claims.facts import NetworkFacts
from grok.claims.levels import ours


@claim(
    "gradient_symmetricity",
    "2306.17844",
    "it adds like a clock, not a pizza: gradient symmetricity",
    paper=Paper("clock 0.33, pizza 0.99", 0.3336),
    level=ours(most=0.98, why="that paper's own border between the two"),
    needs=("layer",),
)
def gradient_symmetricity(facts: NetworkFacts) -> Measured:
    """Mean cosine of the gradients by either number's embedding."""
    network, p = facts.anatomy, facts.p
    numbers = network["W_E"].T[:p]
    return float(algorithm.gradient_symmetricity(network.logits_from, numbers, algorithm.triples(p)))


@claim(
    "distance_irrelevance",
    "2306.17844",
    "and its distance irrelevance",
    paper=Paper("clock 0.85, pizza 0.17", 0.85),
    level=ours(least=0.6, why="between the two, nearer the clock"),
    needs=("waves", "odd"),
)
def distance_irrelevance(facts: NetworkFacts) -> Measured:
    """How little the right answer's logit depends on a - b."""
    evaluation = facts.evaluation
    correct = evaluation.logits.gather(2, evaluation.answers[..., None])[..., 0]
    return float(algorithm.distance_irrelevance(correct))


@claim(
    "circularity",
    "2306.17844",
    "W_E is made of circles: circularity of its first 4 principal components",
    paper=Paper("0.995 and more", 0.995),
    level=ours(least=0.995, why="where that paper keeps its networks"),
)
def circularity(facts: NetworkFacts) -> Measured:
    """Mean largest share of one frequency in a principal component."""
    W_E = facts.evaluation.W_E
    return None if W_E is None else float(algorithm.circularity(W_E))
