"""The progress measures, as functions of the table of logits L[a, b, c] ("=" left out).

Source: paper §5.1 and the authors' notebook; the key-free pair is this project's own. Logits may
be float32 (losses keep their relative precision) or float64; means over pairs are float64.

M[y, c], the mean of L over the pairs with answer y, carries everything that P_K sees: where a group
is behind the answers (`grok.tasks.structure`) each y has p pairs, P_K acts on y alone, and P_K L is M's
components at the frequencies of K, read off at the pair's answer. What is said of frequencies here holds for
the blocks of any group's basis; where none is given, the group is addition mod p.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from grok.model.cross_entropy import cross_entropies
from grok.tasks import fourier, operations
from grok.tasks.bases import Basis
from grok.tasks.structure import Structure, plain


def answer_sums(
    logits: Float[Tensor, "a=p b=p c=p"], answers: Int[Tensor, "a=p b=p"], group: Int[Tensor, "a=p b=p"], groups: int
) -> tuple[Float[Tensor, "group y=p c=p"], Int[Tensor, "group y=p"]]:
    """Sums of L over the pairs with each answer y, and their numbers, in each of the groups 0, 1, … of pairs."""
    p = len(answers)
    index = (answers + p * group).flatten()
    sums = torch.zeros(groups * p, p, dtype=torch.float64, device=logits.device)
    sums.index_add_(0, index, logits.flatten(0, 1).double())
    return sums.view(groups, p, p), torch.bincount(index, minlength=groups * p).view(groups, p)


def turned_sums(sums: Float[Tensor, "*group y=p c=p"], turn: Int[Tensor, "y=p t=p"]) -> Float[Tensor, "*group t=p"]:
    """Σ over pairs of L[q, y(q) + t], from the sums per answer; `turn` as in `grok.tasks.structure`."""
    return sums.gather(-1, turn.expand(sums.shape)).sum(-2)


def symmetrized_loss(g: Float[Tensor, " t=p"], identity: int = 0) -> Float[Tensor, ""]:
    """logsumexp g - g(0): the loss of the mean held-out answer, turned to the right place (ours).

    ln p without generalization, near 0 with it; needs no key frequencies.
    """
    return cross_entropies(g[None], torch.full((1,), identity, device=g.device))[0]


def symmetrized_excluded_loss(
    logits: Float[Tensor, "q c=p"], answers: Int[Tensor, " q"], g: Float[Tensor, " t=p"], offset: Int[Tensor, "y=p c=p"]
) -> Float[Tensor, ""]:
    """Mean over pairs of CE(L[q, c] - g(c - y(q))): what is left without the shared part (ours)."""
    shared = g[offset]  # [y, c] = g(c - y)
    return cross_entropies(logits - shared.to(logits.dtype)[answers], answers).mean(dtype=torch.float64)


def restricted_logits(
    means: Float[Tensor, "y=p c=p"], frequencies: Sequence[int], basis: Basis | None = None
) -> Float[Tensor, "y=p c=p"]:
    """P_K L plus each class's mean over the grid, as the p distinct rows it has (paper §5.1, `sum` variant)."""
    return (basis or fourier.cyclic(len(means))).projection(means, frequencies) + means.mean(0)


def loss_by_answer(rows: Float[Tensor, "y=p c=p"], counts: Int[Tensor, " y=p"]) -> Float[Tensor, ""]:
    """Mean cross-entropy where pairs with answer y, `counts[y]` of them, have the logits `rows[y]`."""
    each = cross_entropies(rows, torch.arange(len(rows), device=rows.device))
    return (each * counts).sum() / counts.sum()


def excluded_loss(
    logits: Float[Tensor, "q c=p"],
    answers: Int[Tensor, " q"],
    means: Float[Tensor, "y=p c=p"],
    frequencies: Sequence[int],
    basis: Basis | None = None,
) -> Float[Tensor, ""]:
    """Mean over (training) pairs of CE(L - P_K L), the constant kept, no bias correction (paper §5.1)."""
    projected = (basis or fourier.cyclic(len(means))).projection(means, frequencies).to(logits.dtype)
    return cross_entropies(logits - projected[answers], answers).mean(dtype=torch.float64)


# Lines of `fourier.line_sums` that each variant of P_K projects on: by the paper's code; its "20 terms"; all of §4.4.
VARIANTS = {"sum": (2,), "2x2": (2, 3), "3x3": (0, 1, 2, 3)}


def block_rows(
    means: Float[Tensor, "line=4 x=p c"], frequencies: Sequence[int], variant: str
) -> Float[Tensor, "line=4 x=p c"]:
    """The part of a table in the key frequencies' terms, along each of its lines; from its means over them.

    Per frequency, `sum` has cos and sin of w(a+b); `2x2` the products of cos, sin of wa with those of wb, so
    w(a-b) too; `3x3` also those of wa and of wb alone. Even p: at p/2, w(a-b) is w(a+b), and counts once.
    Raises `ValueError` for another variant.
    """
    if variant not in VARIANTS:
        raise ValueError(f"The variant must be one of {', '.join(VARIANTS)}. Got {variant!r}.")
    p = means.shape[1]
    rows = torch.zeros_like(means)
    for line in VARIANTS[variant]:
        rows[line] = fourier.projection(means[line], [k for k in frequencies if line != 3 or 2 * k != p])
    return rows


def on_pairs(rows: Float[Tensor, "line=4 x=p c"]) -> Float[Tensor, "a=p b=p c"]:
    """Each pair's sum over the four lines that it lies on."""
    p = rows.shape[1]
    a, b = operations.all_pairs(p)
    table: Tensor = rows[2][(a + b) % p]
    if rows[[0, 1, 3]].any():
        table += rows[3][(a - b) % p]
        table += rows[0][:, None] + rows[1]
    return table


def wave_coefficients(g: Float[Tensor, " t=p"], group: Structure | None = None) -> Float[Tensor, " k"]:
    """α_k, k = 1 … ⌊p/2⌋, of Σ_k α_k cos(w_k(a+b-c)), the least-squares fit to L (paper §4.2); in any group of
    Σ_ρ α_ρ χ_ρ((ab)⁻¹c) / χ_ρ(1).

    These waves are orthogonal over (a, b, c), and g(t), the mean over all pairs of L[q, y(q) + t], is
    all that they see: α_k = 2/p Σ_t g(t) cos(w_k t), for k = p/2 half of it.
    """
    group = group or plain(len(g))
    characters = group.basis.characters(g.device)
    return (characters @ g.double()) * characters[:, group.identity]


def wave_sum(alpha: Float[Tensor, " k"], frequencies: Sequence[int], group: Structure) -> Float[Tensor, " t=p"]:
    """f(t) = Σ_k α_k cos(w_k t) over the frequencies: the fit's logits are f(c - y) (paper §4.2)."""
    places = [k - 1 for k in frequencies]
    characters = group.basis.characters(alpha.device)[places]
    total: Tensor = (alpha[places].double() / characters[:, group.identity]) @ characters
    return total
