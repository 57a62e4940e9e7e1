"""Cross-entropy that stays accurate where float32 log-softmax rounds to zero.

The authors cast logits to float64, because a memorizing network reaches losses of 1e-7 and less,
at which log(1 + tiny) in float32 is 0. Here exponentials are taken relative to the largest *wrong*
class, where float32 differences are exact for the terms that count, and what is left, one number
a pair, is done in float64: a few 1e-7 of relative error down to losses of 1e-30.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable


def _parts(
    logits: Float[Tensor, "q c"], answers: Int[Tensor, " q"]
) -> tuple[Float[Tensor, "q c"], Float[Tensor, " q"], Float[Tensor, " q"]]:
    """exp(l_j - largest wrong l) with 0 for the answer; the log of its sum; the margin of the answer."""
    index = answers[:, None]
    wrong = logits.scatter(1, index, -torch.inf)
    largest = wrong.amax(1, keepdim=True)
    margin = (logits.gather(1, index).double() - largest.double()).squeeze(1)
    wrong.sub_(largest).exp_()
    return wrong, wrong.sum(1, dtype=torch.float64).log(), margin


class _CrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: FunctionCtx, logits: Tensor, answers: Tensor) -> Tensor:
        wrong, log_sum, margin = _parts(logits, answers)
        ctx.save_for_backward(wrong, log_sum, margin, answers)
        return torch.logaddexp(torch.zeros_like(margin), log_sum - margin).mean()

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor, None]:
        wrong, log_sum, margin, answers = ctx.saved_tensors  # type: ignore[attr-defined]
        scale = grad / len(margin)
        each = (scale * (-torch.logaddexp(margin, log_sum)).exp()).to(wrong.dtype)
        # the answer's own gradient is minus the sum of the others': no 1 - (1 - tiny)
        answer = (-scale * (log_sum - margin).sigmoid()).to(wrong.dtype)
        # a trained network's gradients end below the smallest normal number, where CPUs multiply 100 times slower
        others = torch.threshold_(wrong * each[:, None], torch.finfo(wrong.dtype).tiny, 0.0)
        return others.scatter_(1, answers[:, None], answer[:, None]), None


def cross_entropy(logits: Float[Tensor, "q c"], answers: Int[Tensor, " q"]) -> Float[Tensor, ""]:
    """Mean over pairs of -log softmax(logits)[answer], in nats (float64); differentiable once."""
    return _CrossEntropy.apply(logits, answers)  # type: ignore[no-any-return, no-untyped-call]


def losses_and_margins(
    logits: Float[Tensor, "q c"], answers: Int[Tensor, " q"]
) -> tuple[Float[Tensor, " q"], Float[Tensor, " q"]]:
    """-log softmax(logits)[answer] of each pair [nats], and its answer's logit less the largest other (float64)."""
    _, log_sum, margin = _parts(logits, answers)
    return torch.logaddexp(torch.zeros_like(margin), log_sum - margin), margin


def cross_entropies(logits: Float[Tensor, "q c"], answers: Int[Tensor, " q"]) -> Float[Tensor, " q"]:
    """-log softmax(logits)[answer] of each pair, in nats (float64)."""
    return losses_and_margins(logits, answers)[0]
