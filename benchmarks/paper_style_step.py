"""A plain step: three positions through every matrix, einsum by einsum, the loss in float64, torch's AdamW."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from benchmarks.worker import usual_step


class PaperStyle(nn.Module):
    """One layer, four heads, ReLU, no LayerNorm, as §3 of the paper describes it."""

    def __init__(self, p: int, d_model: int = 128, n_heads: int = 4, d_mlp: int = 512) -> None:
        super().__init__()
        shapes = {
            "W_E": (d_model, p + 1),
            "W_pos": (3, d_model),
            "W_Q": (n_heads, d_model // n_heads, d_model),
            "W_K": (n_heads, d_model // n_heads, d_model),
            "W_V": (n_heads, d_model // n_heads, d_model),
            "W_O": (d_model, d_model),
            "W_in": (d_mlp, d_model),
            "W_out": (d_model, d_mlp),
            "W_U": (d_model, p + 1),
        }
        self.w = nn.ParameterDict(
            {name: nn.Parameter(torch.randn(shape) / d_model**0.5) for name, shape in shapes.items()}
        )
        self.b_in = nn.Parameter(torch.zeros(d_mlp))
        self.b_out = nn.Parameter(torch.zeros(d_model))
        self.register_buffer("mask", torch.tril(torch.ones(3, 3)))
        self.mask: Tensor

    def forward(self, tokens: Tensor) -> Tensor:
        w = self.w
        x = torch.einsum("dt,qpt->qpd", w["W_E"], nn.functional.one_hot(tokens, w["W_E"].shape[1]).float())
        x = x + w["W_pos"]
        query = torch.einsum("hed,qpd->qhpe", w["W_Q"], x)
        key = torch.einsum("hed,qpd->qhpe", w["W_K"], x)
        value = torch.einsum("hed,qpd->qhpe", w["W_V"], x)
        scores = torch.einsum("qhpe,qhre->qhpr", query, key) / w["W_Q"].shape[1] ** 0.5
        pattern = (scores - 1e10 * (1 - self.mask)).softmax(-1)
        mixed = torch.einsum("qhpr,qhre->qphe", pattern, value).flatten(2)
        x = x + torch.einsum("de,qpe->qpd", w["W_O"], mixed)
        neurons = (torch.einsum("md,qpd->qpm", w["W_in"], x) + self.b_in).relu()
        x = x + torch.einsum("dm,qpm->qpd", w["W_out"], neurons) + self.b_out
        logits: Tensor = x @ w["W_U"]
        return logits


def paper_style_step(p: int, a: Tensor, b: Tensor, answers: Tensor) -> Callable[[], object]:
    """One full-batch step of that network."""
    model = PaperStyle(p).to(a.device)
    tokens = torch.stack([a, b, torch.full_like(a, p)], 1)
    return usual_step(model, tokens, answers)
