"""An independent statement of the network: one pair, one head, one position at a time.

Written from the paper's description alone, in whatever precision its weights have; differentiable. It also
holds the biases of other people's networks (b_Q, b_K, b_V, b_O, b_U) and any d_head.
"""

import torch
from torch import Tensor


def logits_of_pair(weights: dict[str, Tensor], a: Tensor, b: Tensor, n_layers: int, activation: str) -> Tensor:
    """Logits above "=" of one pair."""
    p = weights["W_E"].shape[1] - 1
    rows = [weights["W_E"][:, token] + weights["W_pos"][i] for i, token in enumerate((a, b, p))]
    for layer in range(n_layers):
        w = {name.split(".")[-1]: value for name, value in weights.items() if name.startswith(f"blocks.{layer}.")}
        rows = [rows[i] + attended(w, rows[: i + 1]) for i in range(3)]
        if "W_in" in w:
            rows = [row + w["W_out"] @ nonlinear(w["W_in"] @ row + w["b_in"], activation) + w["b_out"] for row in rows]
    return weights["W_U"].T @ rows[2] + weights.get("b_U", 0)


def attended(w: dict[str, Tensor], seen: list[Tensor]) -> Tensor:
    """What attention adds at the last of the positions `seen`."""
    n_heads, d_head, d_model = w["W_Q"].shape
    bias = {name: w.get(name, torch.zeros(n_heads, d_head)) for name in ("b_Q", "b_K", "b_V")}
    total = w.get("b_O", torch.zeros(d_model)).to(w["W_O"].dtype)
    for h in range(n_heads):
        query = w["W_Q"][h] @ seen[-1] + bias["b_Q"][h]
        scores = torch.stack([query @ (w["W_K"][h] @ row + bias["b_K"][h]) for row in seen]) / d_head**0.5
        weights = scores.exp() / scores.exp().sum()
        values = [w["W_V"][h] @ row + bias["b_V"][h] for row in seen]
        z = sum(weights[i] * value for i, value in enumerate(values))
        total = total + w["W_O"][:, h * d_head : (h + 1) * d_head] @ z
    return total


def nonlinear(x: Tensor, activation: str) -> Tensor:
    """max(0, x), or x times the normal distribution up to x."""
    return x.clamp_min(0) if activation == "relu" else x * (1 + torch.erf(x / 2**0.5)) / 2


def plain_logits(weights: dict[str, Tensor], a: Tensor, b: Tensor, n_layers: int, activation: str = "relu") -> Tensor:
    """Logits of each pair at the last position, from a state dict of `grok.model.transformer.Transformer`."""
    return torch.vmap(lambda *pair: logits_of_pair(weights, *pair, n_layers, activation))(a, b)


def plain_loss(logits: Tensor, answers: Tensor) -> Tensor:
    """Mean cross-entropy the textbook way, in float64."""
    logs = logits.double().log_softmax(-1)
    return -logs.gather(1, answers[:, None]).mean()
