"""An independent statement of the network: all three positions through every matrix, as the paper has it.

Written from the paper's description alone; slow, plain, in whatever precision its weights have.
"""

import torch
from torch import Tensor


def plain_logits(weights: dict[str, Tensor], a: Tensor, b: Tensor, n_layers: int, activation: str = "relu") -> Tensor:
    """Logits at the last position, from a state dict of `grok.transformer.Transformer`."""
    p = weights["W_E"].shape[1] - 1
    tokens = torch.stack([a, b, torch.full_like(a, p)], dim=1)
    x = weights["W_E"].T[tokens] + weights["W_pos"]  # (pair, position, d_model)
    mask = torch.tril(torch.ones(3, 3, dtype=torch.bool))
    for layer in range(n_layers):
        w = {name.split(".")[-1]: value for name, value in weights.items() if name.startswith(f"blocks.{layer}.")}
        queries = torch.einsum("qpd,hed->qhpe", x, w["W_Q"])
        keys = torch.einsum("qpd,hed->qhpe", x, w["W_K"])
        values = torch.einsum("qpd,hed->qhpe", x, w["W_V"])
        scores = torch.einsum("qhpe,qhre->qhpr", queries, keys)
        scores = torch.where(mask, scores, -1e10) / w["W_Q"].shape[1] ** 0.5
        mixed = torch.einsum("qhpr,qhre->qphe", scores.softmax(-1), values)
        x = x + torch.einsum("qpf,df->qpd", mixed.flatten(2), w["W_O"])
        if "W_in" in w:
            before = torch.einsum("qpd,md->qpm", x, w["W_in"]) + w["b_in"]
            after = before.clamp_min(0) if activation == "relu" else torch.nn.functional.gelu(before)
            x = x + torch.einsum("qpm,dm->qpd", after, w["W_out"]) + w["b_out"]
    return x[:, -1] @ weights["W_U"]


def plain_loss(logits: Tensor, answers: Tensor) -> Tensor:
    """Mean cross-entropy the textbook way, in float64."""
    logs = logits.double().log_softmax(-1)
    return -logs.gather(1, answers[:, None]).mean()
