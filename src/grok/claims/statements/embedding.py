"""Claims about W_E and W_L in the Fourier basis, and about the number of key frequencies."""

from jaxtyping import Float
from torch import Tensor

from grok.claims import algorithm, embedding
from grok.claims.claim import Measured, Paper, claim
from grok.claims.facts import NetworkFacts
from grok.claims.levels import explained, few, ours, small, sparse
from grok.measures import spectra
from grok.tasks.bases import Basis


@claim(
    "gini_W_E",
    "4.1, 5.1",
    "W_E is sparse in the Fourier basis (Gini over frequencies)",
    paper=Paper("sparse"),
    level=sparse,
    in_groups="W_E is sparse over representations (Gini)",
)
def gini_W_E(facts: NetworkFacts) -> Measured:
    """Gini of W_E's norms."""
    return _gini(facts.evaluation.W_E_components, facts.evaluation.basis)


@claim(
    "W_E_frequencies_share",
    "4.1",
    "W_E has few frequencies (norm above ¼ of the largest), of all",
    paper=Paper("6 of 56", 6 / 56),
    level=few,
    form="percent",
)
def W_E_frequencies_share(facts: NetworkFacts) -> Measured:
    """Frequencies of W_E over all."""
    return len(facts.W_E_frequencies) / facts.evaluation.basis.count, " ".join(map(str, facts.W_E_frequencies))


@claim(
    "W_E_frequencies_key",
    "4.1",
    "the frequencies of W_E are the key frequencies",
    paper=Paper("5 of 6", 5 / 6),
    level=explained,
    form="percent",
    needs=("group", "keys"),
)
def W_E_frequencies_key(facts: NetworkFacts) -> Measured:
    """Share of W_E's frequencies that are key frequencies."""
    inside = [k for k in facts.W_E_frequencies if k in facts.key_frequencies]
    note = f"{len(inside)} of {len(facts.W_E_frequencies)}; of {len(facts.key_frequencies)} key frequencies"
    return len(inside) / len(facts.W_E_frequencies) if facts.W_E_frequencies else None, note


@claim(
    "gini_W_L",
    "4.2, 5.1",
    "W_L is sparse in the Fourier basis (Gini over frequencies)",
    paper=Paper("sparse"),
    level=sparse,
    in_groups="W_L is sparse over representations (Gini)",
    needs=("mlp",),
)
def gini_W_L(facts: NetworkFacts) -> Measured:
    """Gini of W_L's norms."""
    return _gini(facts.evaluation.W_L_components, facts.evaluation.basis)


@claim(
    "key_count_share",
    "4.2",
    "key frequencies are few, of all",
    paper=Paper("5 of 56", 5 / 56),
    level=few,
    form="percent",
    needs=("keys", "answers"),
)
def key_count_share(facts: NetworkFacts) -> Measured:
    """Key frequencies over all."""
    return len(facts.key_frequencies) / facts.evaluation.basis.count, " ".join(map(str, facts.key_frequencies))


@claim(
    "W_L_residual",
    "4.2",
    "W_L has rank 2|K|: norm of what the waves of the keys leave",
    paper=Paper("< 0.55 %", 0.0055),
    level=small,
    form="percent",
    in_groups="W_L is made of matrix elements of the keys' representations: norm of what they leave",
    needs=("group", "mlp", "keys"),
)
def W_L_residual(facts: NetworkFacts) -> Measured:
    """Norm of W_L without the waves of the key frequencies."""
    left = float(embedding.residual_share(facts.W_L, facts.key_frequencies, facts.evaluation.basis))
    return left, f"{100 * left**2:.2g} % of the squared norm"


@claim(
    "W_L_beyond_rank",
    "4.2",
    "W_L has rank 2|K|: norm of what is left beyond as many singular values",
    paper=Paper("< 0.55 %", 0.0055),
    level=small,
    form="percent",
    in_groups="W_L has the rank of the keys' representations: norm of what is left beyond as many singular values",
    needs=("mlp", "keys"),
)
def W_L_beyond_rank(facts: NetworkFacts) -> Measured:
    """Norm of W_L beyond 2|K| singular values."""
    left = float(embedding.beyond_rank(facts.W_L, len(facts.evaluation.basis.rows(facts.key_frequencies))))
    return left, f"{100 * left**2:.2g} % of the squared norm"


@claim(
    "circularity",
    "4.1",
    "W_E is made of circles: share of each key frequency in its own plane, the least",
    paper=Paper("circles; no number"),
    level=ours(least=0.9, why="random weights leave about half"),
    needs=("waves", "keys", "answers"),
)
def circularity(facts: NetworkFacts) -> Measured:
    """The least share of a key frequency in its own plane of W_E."""
    W_E = facts.evaluation.W_E
    if W_E is None:
        return None
    each = {k: float(embedding.circularity(W_E, k)) for k in facts.key_frequencies}
    of_components = float(algorithm.circularity(W_E))
    note = ", ".join(f"{k}: {share:.3f}" for k, share in each.items())
    return min(each.values()), f"{note}; of the first 4 principal components {of_components:.3f} (2306.17844: 0.995)"


def _gini(components: Float[Tensor, "component"] | None, basis: Basis) -> Measured:
    if components is None:
        return None
    norms = basis.strengths(components)
    return float(spectra.gini(norms)), f"{float(spectra.gini(components)):.3f} over components"
