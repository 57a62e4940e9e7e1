"""What is known of one network, computed when it is first asked for: all that claims are measured on."""

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from grok.claims import ablations, embedding, heads, logits, neurons
from grok.claims.ablations import Losses
from grok.claims.anatomy import Anatomy
from grok.claims.training import Record
from grok.measures import progress, spectra
from grok.measures.evaluation import Evaluation
from grok.measures.spectra import EXPLAINED

# Why a claim does not apply, by what it needs.
NEEDS = {
    "waves": "its answers are no invertible linear function of a and b",
    "group": "its answers are those of no group",
    "mlp": "it has no MLP",
    "layer": "it has more than one layer",
    "embeddings": "its embeddings cannot be varied",
    "skip": "it has no skip past its MLP",
    "keys": "it has no key frequencies",
    "odd": "p is even",
    "training": "a file tells nothing of its training",
    "answers": "it answers {accuracy:.0%} of {which} pairs; how a network answers is judged where it does, above 95 %",
}
ANSWERS = 0.95  # accuracy, on all pairs and on unseen ones, above which a network is one that adds


@runtime_checkable
class EmbeddedNetwork(Protocol):
    """What claims ask of a network with other parts than the paper's."""

    has_skip: bool  # whether something reaches the logits past the neurons

    @property
    def numbers(self) -> tuple[Float[Tensor, "p d"], Float[Tensor, "p d"]]:
        """The embeddings of a and of b, a row a number."""
        ...

    def logits_from(self, a: Float[Tensor, "q d"], b: Float[Tensor, "q d"]) -> Float[Tensor, "q p"]:
        """Logits for given embeddings of the two numbers; differentiable."""
        ...


class NetworkFacts:
    """Everything that claims and pictures are made of.

    Args:
        evaluation: of all pairs, in the order in which answers are a + b where that is possible (float64).
        network: its parts; None for other networks than the paper's, of more than one layer for example.
        bias: what the last layer's b_out and b_U add to the logits.
        rule: of the key frequencies, as in `grok.measures.evaluation`.
        training: what its run recorded; None for a network from a file.
        other: a network of other parts, where it can be asked for the logits of embeddings.
        unlike: why it has not the paper's parts, where `network` is None.
    """

    def __init__(
        self,
        evaluation: Evaluation,
        network: Anatomy | None,
        bias: Float[Tensor, " c=p"],
        rule: str | Sequence[int] = "W_L",
        training: Record | None = None,
        other: EmbeddedNetwork | None = None,
        unlike: str = NEEDS["layer"],
    ) -> None:
        self.evaluation, self.network, self.bias, self.training = evaluation, network, bias, training
        self.other = other
        self.p = evaluation.p
        self.accuracy = float((evaluation.predictions == evaluation.answers).double().mean())  # on all pairs
        on_unseen = float(evaluation.held_out_accuracy)  # nan without any: a table of trained answers scores all else
        least, which = min((self.accuracy, "all"), (on_unseen, "unseen")) if on_unseen < 1 else (self.accuracy, "all")
        self.key_frequencies: list[int] = evaluation.key_frequencies(rule) or []
        has = {
            "waves": evaluation.is_linear,
            "group": evaluation.has_group,
            "mlp": evaluation.neurons is not None and evaluation.W_L is not None,
            "layer": network is not None,
            "embeddings": network is not None or other is not None,
            "skip": other is None or other.has_skip,
            "keys": bool(self.key_frequencies),
            "odd": self.p % 2 == 1,
            "training": training is not None,
            "answers": least > ANSWERS,
        }
        self.unmet = {
            need: (unlike if need == "layer" else reason).format(accuracy=least, which=which)
            for need, reason in NEEDS.items()
            if not has[need]
        }

    # --- parts, for claims that need them

    @property
    def anatomy(self) -> Anatomy:
        """The parts of a network of one layer."""
        assert self.network is not None
        return self.network

    @property
    def activations(self) -> Float[Tensor, "a=p b=p neuron"]:
        """The neurons of a network with an MLP."""
        assert self.evaluation.neurons is not None
        return self.evaluation.neurons

    @property
    def W_L(self) -> Float[Tensor, "p neuron"]:
        """The neuron-logit map of a network with an MLP."""
        assert self.evaluation.W_L is not None
        return self.evaluation.W_L

    @property
    def record(self) -> Record:
        """What the network's run recorded."""
        assert self.training is not None
        return self.training

    # --- shared values

    @cached_property
    def losses(self) -> dict[str, Losses]:
        """The loss of the network and of every ablation that it can have, by name."""
        evaluation = self.evaluation
        each = {"original": ablations.sides(evaluation.losses, evaluation.train)}
        if self.network is not None:
            each |= ablations.of_attention(self.network)
        if (mlp := self.mlp_logits()) is not None:
            if "skip" not in self.unmet:
                each |= ablations.of_skip(evaluation, mlp, self.bias)
            if evaluation.is_linear:
                each |= ablations.of_neurons(evaluation, mlp, self.key_frequencies)
        del mlp  # p³ numbers
        if evaluation.has_group:
            each |= ablations.of_waves(evaluation, self.key_frequencies)
        return each

    def loss_ratio(self, ablation: str) -> float | None:
        """The loss on all pairs after an ablation over the loss of the network; None for one that it cannot have."""
        return self.losses[ablation].all / self.losses["original"].all if ablation in self.losses else None

    def loss_over_ln_p(self, ablation: str, side: str = "all") -> float | None:
        """The loss on one side after an ablation over ln p; None for one that it cannot have."""
        return getattr(self.losses[ablation], side) / math.log(self.p) if ablation in self.losses else None

    def mlp_logits(self) -> Float[Tensor, "a=p b=p c=p"] | None:
        """What the neurons add to the logits; not kept, since it is p³ numbers."""
        return None if "mlp" in self.unmet else self.activations @ self.W_L.T

    @cached_property
    def W_E_frequencies(self) -> list[int]:
        """Frequencies of W_E with norm above a quarter of the largest."""
        return self.evaluation.key_frequencies("W_E") or []

    @cached_property
    def wave_coefficients(self) -> Float[Tensor, " k"]:
        """α_k of Σ_k α_k cos w_k(a+b-c)."""
        group = self.evaluation.structure
        return progress.wave_coefficients(ablations.mean_by_offset(self.evaluation.means, group), group)

    @cached_property
    def logits_variance(self) -> float:
        """Sum of squares of the logits around their mean."""
        return float(logits.variance(self.evaluation.logits))

    @cached_property
    def of_heads(self) -> heads.Heads:
        """What each head does."""
        return heads.heads(self.anatomy)

    @cached_property
    def belongs(self) -> Bool[Tensor, " neuron"]:
        """True on the neurons of one frequency."""
        return self._explained.amax(0) > EXPLAINED

    @property
    def _explained(self) -> Float[Tensor, "k neuron"]:
        assert self.evaluation.explained is not None
        return self.evaluation.explained

    @cached_property
    def neurons_of_key(self) -> dict[int, int]:
        """How many neurons have each key frequency."""
        frequencies = neurons.frequencies(self._explained)[self.belongs].tolist()
        return {k: frequencies.count(k) for k in self.key_frequencies}

    @cached_property
    def projections_explained(self) -> list[float]:
        """How far u·MLP and v·MLP of each key frequency are one cosine and one sine."""
        directions = embedding.directions(self.W_L, self.key_frequencies)
        return neurons.projections_explained(self.activations, directions, self.key_frequencies).tolist()

    @cached_property
    def accuracies(self) -> dict[str, float]:
        """Share of pairs answered by the key frequencies' waves alone (all), and without them (training) (Fig. 13)."""
        evaluation, train = self.evaluation, self.evaluation.on_train
        means, answers = evaluation.means, evaluation.answers
        restricted = progress.restricted_logits(means, self.key_frequencies, evaluation.basis).argmax(1)
        removed = evaluation.basis.projection(means, self.key_frequencies)[train(answers)]
        right = (train(evaluation.logits) - removed).argmax(1) == train(answers)
        by_answer = restricted == restricted.new_tensor(range(self.p))
        return {"restricted": float(by_answer.double().mean()), "excluded": float(right.double().mean())}

    @cached_property
    def losses_of_one(self) -> dict[int, float]:
        """Restricted loss on all pairs by each key frequency alone (App. B) [nats]."""
        means = self.evaluation.means
        counts = torch.full((self.p,), self.p)
        rows = {k: progress.restricted_logits(means, [k], self.evaluation.basis) for k in self.key_frequencies}
        return {k: float(progress.loss_by_answer(x, counts)) for k, x in rows.items()}

    @cached_property
    def columns_of_clusters(self) -> dict[int, float]:
        """Of each key frequency with neurons: its share in the squared norm of their columns of W_L (Fig. 5)."""
        of = neurons.frequencies(self._explained)
        shares = {}
        for k in self.key_frequencies:
            if (chosen := self.belongs & (of == k)).any():
                basis = self.evaluation.basis
                norms = basis.norms(basis.component_norms(self.W_L[:, chosen]))
                shares[k] = float(spectra.shares(norms)[k - 1])
        return shares

    # --- tables of analysis.json

    @cached_property
    def frequencies(self) -> list[dict[str, int | float]]:
        """A row for each k: norms, coefficients, losses without it."""
        evaluation = self.evaluation
        columns: dict[str, Sequence[int | float]] = {"k": range(1, evaluation.basis.count + 1)}
        for name, components in (("W_E", evaluation.W_E_components), ("W_L", evaluation.W_L_components)):
            if components is not None:
                columns[f"norm_{name}"] = evaluation.basis.norms(components).tolist()
        if evaluation.has_group:
            columns |= self._columns_of_waves()
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    def _columns_of_waves(self) -> dict[str, Sequence[int | float]]:
        evaluation, alpha = self.evaluation, self.wave_coefficients
        each = logits.variances_of_cosines(alpha, self.p, evaluation.basis)
        without = ablations.of_each_frequency(evaluation.logits, evaluation.means, evaluation)
        columns: dict[str, Sequence[int | float]] = {
            "cos_coefficient": alpha.tolist(),
            "cos_similarity": ((each / evaluation.logits.square().sum()).sqrt() * alpha.sign()).tolist(),
            "loss_without": [losses.all for losses in without],
            "train_loss_without": [losses.train for losses in without],
        }
        if (mlp := self.mlp_logits()) is not None:
            rows, _ = progress.answer_sums(mlp, evaluation.answers, torch.zeros_like(evaluation.answers), 1)
            rows = rows[0] / self.p
            del mlp
            without = ablations.of_each_frequency(evaluation.logits, rows, evaluation)
            columns["loss_without_in_neurons"] = [losses.all for losses in without]
        return columns

    def ratios_without(self, *, key: bool) -> dict[int, float]:
        """The loss without each key frequency, or without each other one, over the loss of the network."""
        original = self.losses["original"].all
        rows = [row for row in self.frequencies if (row["k"] in self.key_frequencies) == key]
        return {int(row["k"]): row["loss_without"] / original for row in rows}

    @cached_property
    def heads(self) -> list[dict[str, Any]]:
        """A row for each head."""
        if self.network is None:
            return []
        each, scores = self.of_heads, dict(zip(("scores_of_a", "scores_of_b"), self.network.scores, strict=False))
        rows = zip(*each, strict=True)
        return [
            {name: x.tolist() for name, x in zip(each._fields, row, strict=True)}
            | {name: of[:, head].tolist() for name, of in scores.items()}
            for head, row in enumerate(rows)
        ]

    @cached_property
    def neurons(self) -> dict[str, Any]:
        """Of each neuron its frequency and how much that explains; of each key frequency its neurons."""
        if "mlp" in self.unmet:
            return {}
        explained = self._explained
        table: dict[str, Any] = {
            "explained": explained.amax(0).tolist(),
            "frequency": neurons.frequencies(explained).tolist(),
        }
        if self.evaluation.has_group:
            counts = self.neurons_of_key
            table |= {"per_key": counts, "of_others": int(self.belongs.sum()) - sum(counts.values())}
            if self.key_frequencies and self.evaluation.is_linear:
                table["projections_explained"] = self.projections_explained
        return table
