"""Clock or pizza: which algorithm adds (Zhong et al., arXiv 2306.17844, whose p = 59 networks give the references)."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor

TRIPLES = 5000  # pairs and classes over which gradient symmetricity is averaged; 100 there, which leave ±0.03
COMPONENTS = 4  # principal components of circularity, as there

Network = Callable[[Tensor, Tensor], Tensor]


def triples(p: int, count: int = TRIPLES, seed: int = 0) -> Int[Tensor, "triple abc=3"]:
    """Random (a, b, c), the same for each seed."""
    return torch.randint(p, (count, 3), generator=torch.Generator().manual_seed(seed))


def gradient_symmetricity(
    logits: Network,
    numbers: Float[Tensor, "p d_model"],
    of: Int[Tensor, "triple abc=3"],
    numbers_of_b: Float[Tensor, "p d_model"] | None = None,
) -> Float[Tensor, " triple"]:
    """cos(∂L_c/∂E_a, ∂L_c/∂E_b) for each triple; its mean is near 1 for a pizza (0.99) and less for a clock (0.33).

    Args:
        logits: logits for embeddings at the two positions, [q, d_model] each.
        numbers: the embedding of each number.
        of: (a, b, c).
        numbers_of_b: as b, where it is embedded apart.
    """
    a, b, c = of.unbind(1)
    embedded = numbers[a], (numbers if numbers_of_b is None else numbers_of_b)[b]
    first, second = (x.detach().clone().requires_grad_() for x in embedded)
    with torch.enable_grad():
        chosen = logits(first, second).gather(1, c[:, None]).sum()
        of_a, of_b = torch.autograd.grad(chosen, [first, second])
    return torch.nn.functional.cosine_similarity(of_a, of_b, dim=1)


def distance_irrelevance(correct: Float[Tensor, "a=p b=p"]) -> Float[Tensor, ""]:
    """Mean over distances a-b of the standard deviation over sums a+b, over that of all: clock 0.85, pizza 0.17.

    Args:
        correct: the answer's logit of each pair, answers being a + b. Odd p alone: for even p sum and distance
            do not name a pair. Raises `ValueError` there.
    """
    p = len(correct)
    if p % 2 == 0:
        raise ValueError(f"Distance irrelevance needs an odd p, where a+b and a-b name a pair. Got {p}.")
    s, d = torch.meshgrid(torch.arange(p), torch.arange(p), indexing="ij")
    half = (p + 1) // 2
    M: Tensor = correct[(s + d) * half % p, (s - d) * half % p]
    irrelevance: Tensor = M.std(0, correction=0).mean() / M.std(correction=0)
    return irrelevance


def circularity(W_E: Float[Tensor, "d_model p"]) -> Float[Tensor, ""]:
    """Mean over the first 4 principal components of W_E of the largest share of one frequency: 1 for circles.

    For a component v of norm 1: max_k 2 |Σ_t v_t e^{2πikt/p}|² / p, at most 1 (the frequency p/2 counts once).
    """
    p = W_E.shape[1]
    centred = W_E.double() - W_E.double().mean(1, keepdim=True)
    v = torch.linalg.svd(centred, full_matrices=False).Vh[:COMPONENTS]
    power: Tensor = 2 * torch.fft.rfft(v, dim=1).abs().square()[:, 1:] / p
    if p % 2 == 0:
        power[:, -1] /= 2
    return power.amax(1).clamp_max(1).mean()
