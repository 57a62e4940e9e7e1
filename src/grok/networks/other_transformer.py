"""Transformers that differ from the paper's in what they read: position by position, slow and plain.

Sources: Zhong et al., arXiv 2306.17844, for two tokens, attention to both sides, and the attention rate.
"""

from collections.abc import Mapping

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from grok.model.fast_forward import Activations
from grok.model.transformer import OTHER_ACTIVATIONS
from grok.networks import layouts

ORDERS = ("a b =", "= a b", "a b")  # of the tokens; the answer is read at the last one
ATTENTIONS = ("causal", "bidirectional")
PAIRS_AT_ONCE = 1 << 14  # what is held for each pair is several times its logits

Rows = Float[Tensor, "q d_model"]


class OtherTransformer(nn.Module):
    """A transformer of any depth over one of `ORDERS`; b_Q, b_K, b_V, b_O and b_U are optional.

    Attention is rate · softmax + (1 - rate), as in the code of 2306.17844: rate 1 is the paper's, a clock; rate 0 adds
    up the values of all tokens that are seen, a pizza.

    Args:
        weights: by the names of `grok.model.transformer`. W_E has p columns, or 2p where a and b are embedded apart,
            and one for "=" as its last.
        p: the modulus.
        tokens, attention, attention_rate, activation: what no tensor tells.
    """

    has_skip = True

    def __init__(
        self,
        weights: Mapping[str, Tensor],
        p: int,
        tokens: str = "a b =",
        attention: str = "causal",
        attention_rate: float = 1.0,
        activation: str = "relu",
    ) -> None:
        super().__init__()
        self.weights, self.p, self.order = weights, p, tokens.split()
        self.is_causal, self.rate = attention == "causal", attention_rate
        self.activation = OTHER_ACTIVATIONS[activation]
        self.n_layers = layouts.layers(weights)

    def weight(self, name: str) -> Tensor:
        """A weight by its name; zero for one that is not there."""
        found = self.weights.get(name)
        return self.weights["W_E"].new_zeros(()) if found is None else found

    @property
    def W_E(self) -> Float[Tensor, "d_model p"]:
        """The embedding of the numbers; those of a and of b, one above the other, where there are two."""
        W_E = self.weights["W_E"]
        if W_E.shape[1] < 2 * self.p:
            return W_E[:, : self.p]
        return torch.cat([W_E[:, : self.p], W_E[:, self.p : 2 * self.p]])

    @property
    def numbers(self) -> tuple[Float[Tensor, "p d_model"], Float[Tensor, "p d_model"]]:
        """The embeddings of a and of b, a row a number."""
        width = len(self.weights["W_E"])
        return self.W_E[:width].T, self.W_E[-width:].T

    def activations(self, a: Int[Tensor, " q"], b: Int[Tensor, " q"]) -> Activations:
        """Logits, neurons and residual stream at the last position of the last layer."""
        first, second = self.numbers
        chunks = (slice(i, i + PAIRS_AT_ONCE) for i in range(0, len(a), PAIRS_AT_ONCE))
        runs = [self.activations_of(first[a[x]], second[b[x]]) for x in chunks]
        logits, neurons, residual = zip(*runs, strict=True)
        return Activations(torch.cat(logits), None if neurons[0] is None else torch.cat(neurons), torch.cat(residual))

    def forward(self, a: Int[Tensor, " q"], b: Int[Tensor, " q"]) -> Float[Tensor, "q p"]:
        """Logits over the numbers."""
        return self.activations(a, b).logits

    def logits_from(self, a: Rows, b: Rows) -> Float[Tensor, "q p"]:
        """Logits for given embeddings of the two numbers; differentiable."""
        return self.activations_of(a, b).logits

    def activations_of(self, a: Rows, b: Rows) -> Activations:
        """The same for given embeddings of the two numbers."""
        rows = {"a": a, "b": b, "=": self.weights["W_E"][:, -1].expand_as(a)}
        x = torch.stack([rows[token] for token in self.order], 1) + self.weights["W_pos"]
        neurons = None
        for i in range(self.n_layers):
            block, here = f"blocks.{i}.", x[:, -1:] if i == self.n_layers - 1 else x  # the last answers there alone
            x = here + self._attention(here, x, block)
            if f"{block}W_in" in self.weights:
                neurons = self.activation(x @ self.weight(f"{block}W_in").T + self.weight(f"{block}b_in"))
                x = x + neurons @ self.weight(f"{block}W_out").T + self.weight(f"{block}b_out")
        b_U = self.weight("b_U")
        logits = x[:, -1] @ self.weight("W_U")[:, : self.p] + (b_U[: self.p] if b_U.ndim else b_U)
        return Activations(logits, None if neurons is None else neurons[:, -1], x[:, -1])

    def _attention(
        self, here: Float[Tensor, "q to d_model"], x: Float[Tensor, "q position d_model"], block: str
    ) -> Float[Tensor, "q to d_model"]:
        """What attention adds at the last positions `here` of those in x."""
        query, key, value = (
            torch.einsum("hed,qpd->qphe", self.weight(f"{block}W_{part}"), rows) + self.weight(f"{block}b_{part}")
            for part, rows in (("Q", here), ("K", x), ("V", x))
        )
        scores = torch.einsum("qphe,qrhe->qhpr", query, key) / query.shape[-1] ** 0.5
        seen = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool)
        seen = (seen.tril() if self.is_causal else seen)[-here.shape[1] :]
        softmax = scores.masked_fill(~seen, -torch.inf).softmax(-1)
        pattern = self.rate * softmax + (1 - self.rate) * seen
        z = torch.einsum("qhpr,qrhe->qphe", pattern, value).flatten(2)
        added: Tensor = z @ self.weight(f"{block}W_O").T + self.weight(f"{block}b_O")
        return added

    def neuron_logit_map(self) -> Float[Tensor, "p d_mlp"] | None:
        """W_L = W_U W_out of the last layer; None without an MLP."""
        W_out = self.weights.get(f"blocks.{self.n_layers - 1}.W_out")
        return None if W_out is None else self.weights["W_U"][:, : self.p].T @ W_out

    def bias(self) -> Float[Tensor, " p"]:
        """What the last layer's b_out and b_U add to the logits."""
        W_U, b_U = self.weights["W_U"][:, : self.p], self.weight("b_U")
        b_out = self.weights.get(f"blocks.{self.n_layers - 1}.b_out")
        return (W_U.new_zeros(self.p) if b_out is None else b_out @ W_U) + (b_U[: self.p] if b_U.ndim else b_U)
