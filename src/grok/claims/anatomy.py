"""A one-layer network taken apart at the last position, over all p² pairs, in float64.

Source: paper §3, App. A. It also holds what other people's networks have and ours do not: biases in
attention (b_Q, b_K, b_V, b_O) and unembedding (b_U), any d_head, and no class for "=". Nothing is folded.
"""

from collections.abc import Mapping
from functools import cached_property

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from grok.measures.evaluation import Evaluation
from grok.model.transformer import OTHER_ACTIVATIONS
from grok.tasks import operations, splits

Pattern = Float[Tensor, "a=p b=p head position=3"]


class Anatomy:
    """What the last position computes, part by part, and again with parts replaced.

    Where answers are linear in a and b, pairs are in the order in which they are a + b
    (`operations.as_sums`; for addition, their own), so that one set of formulas serves all.

    Args:
        weights: W_E, W_pos, W_U and blocks.0.* as in `grok.model.transformer`; b_Q, b_K, b_V, b_O, b_U optional.
        answers: the right answer of each pair.
        train: True on training pairs.
        activation: one of `OTHER_ACTIVATIONS`.
    """

    def __init__(
        self,
        weights: Mapping[str, Tensor],
        answers: Int[Tensor, "a=p b=p"],
        train: Bool[Tensor, "a=p b=p"],
        activation: str = "relu",
    ) -> None:
        self.weights = {name: w.detach().double() for name, w in weights.items()}
        self.p = len(answers)
        self.activation = OTHER_ACTIVATIONS[activation]
        self.is_linear = operations.is_linear(answers)
        number = torch.arange(self.p)
        self.first, self.second = operations.as_sums(answers) if self.is_linear else (number, number)
        self.answers = answers[self.first][:, self.second]
        self.train = train[self.first][:, self.second]
        self.unseen = splits.unseen_mask(train, answers)[self.first][:, self.second]  # mirrors by the old names

    def __getitem__(self, name: str) -> Tensor:
        """A weight by its name; zero for a bias that is not there."""
        found = self.weights.get(name, self.weights.get(f"blocks.0.{name}"))
        return torch.zeros((), dtype=torch.float64) if found is None else found

    @property
    def has_mlp(self) -> bool:
        return "blocks.0.W_in" in self.weights

    # --- attention

    @cached_property
    def streams(self) -> tuple[Float[Tensor, "p d_model"], Float[Tensor, "p d_model"], Float[Tensor, "1 d_model"]]:
        """The rows of the positions of a, of b and of "=" before the block."""
        tokens, W_pos = self["W_E"].T, self["W_pos"]
        return tokens[self.first] + W_pos[0], tokens[self.second] + W_pos[1], tokens[self.p :] + W_pos[2]

    @cached_property
    def scores(self) -> list[Float[Tensor, "row head"]]:
        """q·k/√d_head from "=" to each row of each position."""
        return [self._scores(rows) for rows in self.streams]

    def _scores(self, rows: Float[Tensor, "row d_model"]) -> Float[Tensor, "row head"]:
        query = torch.einsum("hed,d->he", self["W_Q"], self.streams[2][0]) + self["b_Q"]
        key = torch.einsum("hed,rd->rhe", self["W_K"], rows) + self["b_K"]
        scores: Tensor = torch.einsum("he,rhe->rh", query, key) / query.shape[1] ** 0.5
        return scores

    @cached_property
    def pattern(self) -> Pattern:
        """Attention from "=" to a, to b and to itself, for each pair and head."""
        a, b, own = self.scores
        n = self.p
        three = torch.stack([a[:, None].expand(n, n, -1), b.expand(n, n, -1), own.expand(n, n, -1)], -1)
        return three.softmax(-1)

    @cached_property
    def values(self) -> list[Float[Tensor, "row head d_head"]]:
        """The values of each row of each position."""
        return [self._values(rows) for rows in self.streams]

    def _values(self, rows: Float[Tensor, "row d_model"]) -> Float[Tensor, "row head d_head"]:
        return torch.einsum("hed,rd->rhe", self["W_V"], rows) + self["b_V"]

    def attention(self, pattern: Pattern) -> Float[Tensor, "a=p b=p d_model"]:
        """What attention adds to the stream, given its pattern."""
        a, b, own = self.values
        z = pattern[..., 0, None] * a[:, None] + pattern[..., 1, None] * b
        z += pattern[..., 2, None] * own
        return z.flatten(2) @ self["W_O"].T + self["b_O"]

    @cached_property
    def attended(self) -> Float[Tensor, "a=p b=p d_model"]:
        """What attention adds to the stream."""
        return self.attention(self.pattern)

    # --- MLP and logits

    @cached_property
    def middle(self) -> Float[Tensor, "a=p b=p d_model"]:
        """The stream between attention and MLP."""
        return self.streams[2] + self.attended

    def neurons_of(self, middle: Float[Tensor, "a b d_model"]) -> Float[Tensor, "a b d_mlp"]:
        """MLP activations for a given stream."""
        return self.activation((middle @ self["W_in"].T).add_(self["b_in"]))

    @cached_property
    def neurons(self) -> Float[Tensor, "a=p b=p d_mlp"] | None:
        return self.neurons_of(self.middle) if self.has_mlp else None

    @cached_property
    def W_U(self) -> Float[Tensor, "d_model p"]:
        """The unembedding of the numbers."""
        return self["W_U"][:, : self.p]

    @cached_property
    def W_L(self) -> Float[Tensor, "p d_mlp"] | None:
        """The neuron-logit map W_U W_out (paper App. A.1)."""
        return self.W_U.T @ self["W_out"] if self.has_mlp else None

    def skip_logits(self, middle: Float[Tensor, "a b d_model"]) -> Float[Tensor, "a b p"]:
        """What reaches the logits past the MLP, biases included."""
        b_U = self["b_U"][: self.p] if self["b_U"].ndim else self["b_U"]
        return middle @ self.W_U + (self["b_out"] @ self.W_U if self.has_mlp else 0) + b_U

    def logits_of(self, middle: Float[Tensor, "a b d_model"]) -> Float[Tensor, "a b p"]:
        """Logits for a given stream between attention and MLP."""
        logits = self.skip_logits(middle)
        return logits if self.W_L is None else logits.add_(self.neurons_of(middle) @ self.W_L.T)

    @cached_property
    def evaluation(self) -> Evaluation:
        """The evaluation of all pairs, for every measure that needs no more than that."""
        logits = self.skip_logits(self.middle)
        if self.W_L is not None and self.neurons is not None:
            logits += self.neurons @ self.W_L.T
        return Evaluation(
            logits,
            self.answers,
            self.train,
            self.neurons,
            self["W_E"][:, : self.p],
            self.W_L,
            self.weights,
            self.unseen,
        )

    @property
    def numbers(self) -> tuple[Float[Tensor, "p d_model"], Float[Tensor, "p d_model"]]:
        """The embeddings of a and of b, a row a number: the same."""
        return (numbers := self["W_E"].T[: self.p]), numbers

    def logits_from(self, a: Float[Tensor, "q d_model"], b: Float[Tensor, "q d_model"]) -> Float[Tensor, "q p"]:
        """Logits for given embeddings at the two number positions; differentiable."""
        own = self.streams[2]
        rows = a + self["W_pos"][0], b + self["W_pos"][1], own.expand(len(a), -1)
        pattern = torch.stack([self._scores(x) for x in rows], -1).softmax(-1)
        values = torch.stack([self._values(x) for x in rows], -1)
        z = torch.einsum("qhi,qhei->qhe", pattern, values).flatten(1)
        middle = own + z @ self["W_O"].T + self["b_O"]
        return self.logits_of(middle[:, None])[:, 0]
