"""The progress measures, as functions of the table of logits L[a, b, c] ("=" left out).

Source: paper §5.1 and the authors' notebook; the key-free pair is this project's own. Logits may
be float32 (losses keep their relative precision) or float64; means over pairs are float64.

M[y, c], the mean of L over the pairs with answer y, carries everything that P_K sees: for an
answer u·a + v·b + w each y has p pairs, P_K acts on y alone, and P_K L is M's components at
the frequencies of K, read off at the pair's answer.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from grok.model.cross_entropy import cross_entropies
from grok.tasks import fourier, operations


def answer_sums(
    logits: Float[Tensor, "a=p b=p c=p"], answers: Int[Tensor, "a=p b=p"], group: Int[Tensor, "a=p b=p"], groups: int
) -> tuple[Float[Tensor, "group y=p c=p"], Int[Tensor, "group y=p"]]:
    """Sums of L over the pairs with each answer y, and their numbers, in each of the groups 0, 1, … of pairs."""
    p = len(answers)
    index = (answers + p * group).flatten()
    sums = torch.zeros(groups * p, p, dtype=torch.float64, device=logits.device)
    sums.index_add_(0, index, logits.flatten(0, 1).double())
    return sums.view(groups, p, p), torch.bincount(index, minlength=groups * p).view(groups, p)


def turned_sums(sums: Float[Tensor, "*group y=p c=p"]) -> Float[Tensor, "*group t=p"]:
    """Σ over pairs of L[q, y(q) + t], from the sums per answer."""
    y = torch.arange(sums.shape[-1], device=sums.device)
    turned: Tensor = sums[..., y, (y + y[:, None]) % len(y)]
    return turned.sum(-1)


def symmetrized_logits(sums: Float[Tensor, "y=p c=p"], count: int) -> Float[Tensor, " t=p"]:
    """g(t) = mean over `count` pairs of L[q, y(q) + t], from the sums per answer."""
    return turned_sums(sums) / count


def symmetrized_loss(g: Float[Tensor, " t=p"]) -> Float[Tensor, ""]:
    """logsumexp g - g(0): the loss of the mean held-out answer, turned to the right place (ours).

    ln p without generalization, near 0 with it; needs no key frequencies.
    """
    return cross_entropies(g[None], torch.zeros(1, dtype=torch.long, device=g.device))[0]


def symmetrized_excluded_loss(
    logits: Float[Tensor, "q c=p"], answers: Int[Tensor, " q"], g: Float[Tensor, " t=p"]
) -> Float[Tensor, ""]:
    """Mean over pairs of CE(L[q, c] - g(c - y(q))): what is left without the shared part (ours)."""
    y = torch.arange(len(g), device=g.device)
    shared = g[(y - y[:, None]) % len(g)]  # [y, c] = g(c - y)
    return cross_entropies(logits - shared.to(logits.dtype)[answers], answers).mean(dtype=torch.float64)


def restricted_logits(means: Float[Tensor, "y=p c=p"], frequencies: Sequence[int]) -> Float[Tensor, "y=p c=p"]:
    """P_K L plus each class's mean over the grid, as the p distinct rows it has (paper §5.1, `sum` variant)."""
    return fourier.projection(means, frequencies) + means.mean(0)


def loss_by_answer(rows: Float[Tensor, "y=p c=p"], counts: Int[Tensor, " y=p"]) -> Float[Tensor, ""]:
    """Mean cross-entropy where pairs with answer y, `counts[y]` of them, have the logits `rows[y]`."""
    each = cross_entropies(rows, torch.arange(len(rows), device=rows.device))
    return (each * counts).sum() / counts.sum()


def excluded_loss(
    logits: Float[Tensor, "q c=p"],
    answers: Int[Tensor, " q"],
    means: Float[Tensor, "y=p c=p"],
    frequencies: Sequence[int],
) -> Float[Tensor, ""]:
    """Mean over (training) pairs of CE(L - P_K L), the constant kept, no bias correction (paper §5.1)."""
    projected = fourier.projection(means, frequencies).to(logits.dtype)
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


def wave_coefficients(g: Float[Tensor, " t=p"]) -> Float[Tensor, " k"]:
    """α_k, k = 1 … ⌊p/2⌋, of Σ_k α_k cos(w_k(a+b-c)), the least-squares fit to L (paper §4.2).

    These waves are orthogonal over (a, b, c), and g(t), the mean over all pairs of L[q, y(q) + t], is
    all that they see: α_k = 2/p Σ_t g(t) cos(w_k t), for k = p/2 half of it.
    """
    p = len(g)
    return cosine_coefficients(fourier.basis(p, g.device)[1::2] @ g.double(), p)


def cosine_coefficients(components: Float[Tensor, "k *rest"], p: int) -> Float[Tensor, "k *rest"]:
    """α_k from the components along the orthonormal cosines, whose height at t = 0 is √(2/p); √(1/p) for k = p/2."""
    heights = fourier.basis(p, components.device)[1::2, 0]
    return components * heights.view(-1, *[1] * (components.ndim - 1))


def wave_sum(alpha: Float[Tensor, "*set k"], p: int, frequencies: Sequence[int]) -> Float[Tensor, "*set t=p"]:
    """f(t) = Σ_k α_k cos(w_k t) over the frequencies: the fit's logits are f(c - y) (paper §4.2)."""
    weights = torch.zeros(*alpha.shape[:-1], p, dtype=torch.float64, device=alpha.device)
    k = torch.tensor(list(frequencies), dtype=torch.long, device=alpha.device)
    heights = torch.where(2 * k < p, p / 2, float(p)).double().sqrt()  # of the orthonormal cosine, one over
    weights[..., 2 * k - 1] = alpha[..., k - 1] * heights
    total: Tensor = weights @ fourier.basis(p, alpha.device)
    return total
