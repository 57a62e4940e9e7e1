"""A network's answers to all p² pairs: what every measure is read from.

The same class serves a training run, a snapshot and somebody else's network. Shared intermediate
results are computed once, by whoever asks first; nothing is computed that nobody asks for.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor, nn
from torchmetrics.functional.classification import multiclass_stat_scores

from grok.measures import progress, spectra
from grok.measures.shapes import require_shapes
from grok.measures.spike_and_waves import SpikeAndWaves, spike_and_waves
from grok.measures.spike_and_waves import key_frequencies as wave_frequencies
from grok.model.cross_entropy import losses_and_margins
from grok.tasks.bases import Basis
from grok.tasks.pairs import AllPairs
from grok.tasks.structure import Structure

RULES = ("W_L", "max", "W_E", "neurons", "logits", "waves")


class Evaluation:
    """Logits of all p² pairs with their answers and the training pairs among them.

    Args:
        logits: L[a, b, c]; a last class "=" beyond the p numbers is used by `objective` alone.
        answers: the right answer of each pair.
        train: True on training pairs.
        neurons: MLP activations of each pair, or None.
        W_E: embedding of the numbers, or None.
        W_L: neuron-logit map W_U W_out over the numbers, or None.
        weights: the parameters by name, for the sum of their squares.
        unseen: True on the unseen pairs; by default those of `splits.unseen_mask`. Needed where numbers have been
            renamed: a - b renamed to a sum looks commutative, and is not.
    """

    def __init__(
        self,
        logits: Float[Tensor, "a=p b=p classes"],
        answers: Int[Tensor, "a=p b=p"],
        train: Bool[Tensor, "a=p b=p"],
        neurons: Float[Tensor, "a=p b=p d_mlp"] | None = None,
        W_E: Float[Tensor, "d_model p"] | None = None,
        W_L: Float[Tensor, "p d_mlp"] | None = None,
        weights: Mapping[str, Tensor] | None = None,
        unseen: Bool[Tensor, "a=p b=p"] | None = None,
    ) -> None:
        require_shapes(logits, answers, train, neurons, W_E, W_L)
        self.p = len(answers)
        self.all_logits = logits
        self.logits = logits[:, :, : self.p]
        self.pairs = AllPairs(answers, train, unseen)
        self.neurons = neurons
        self.W_E = W_E
        self.W_L = W_L
        self.weights = weights or {}

    @classmethod
    def of(cls, network: nn.Module, answers: Int[Tensor, "a=p b=p"], train: Bool[Tensor, "a=p b=p"]) -> "Evaluation":
        """The evaluation of a network, from one forward pass without gradient.

        Of a network other than the paper's, what it has: `activations(a, b)` with neurons, `W_E`, `neuron_logit_map()`.
        """
        return cls.over(AllPairs(answers, train), network)

    @classmethod
    def over(cls, pairs: AllPairs, network: nn.Module) -> "Evaluation":
        """The evaluation of a network over pairs that are measured again and again."""
        own: Any = network
        p = len(pairs.answers)
        with torch.no_grad():
            run = own.activations(pairs.a, pairs.b) if hasattr(own, "activations") else None
            logits = own(pairs.a, pairs.b) if run is None else run.logits
            neurons = getattr(run, "neurons", None)
            W_E = getattr(network, "W_E", None)
            evaluation = cls(
                logits=logits.view(p, p, -1),
                answers=pairs.answers,
                train=pairs.train,
                neurons=None if neurons is None else neurons.view(p, p, -1),
                W_E=None if W_E is None else W_E[:, :p],
                W_L=own.neuron_logit_map() if hasattr(own, "neuron_logit_map") else None,
                weights=dict(network.named_parameters()),
                unseen=pairs.unseen,
            )
            evaluation.pairs = pairs  # with what it has found out already
            return evaluation

    @property
    def answers(self) -> Int[Tensor, "a=p b=p"]:
        return self.pairs.answers

    @property
    def train(self) -> Bool[Tensor, "a=p b=p"]:
        return self.pairs.train

    @property
    def unseen(self) -> Bool[Tensor, "a=p b=p"]:
        return self.pairs.unseen

    @property
    def counts(self) -> dict[str, int]:
        """How many pairs are trained, unseen and mirrored."""
        return self.pairs.counts

    @property
    def is_linear(self) -> bool:
        """Whether the answer is an invertible linear function of a and b: addition by other names."""
        return self.pairs.is_linear

    @property
    def structure(self) -> Structure:
        """The group behind the answers."""
        return self.pairs.structure

    @property
    def has_group(self) -> bool:
        """Whether there is a group behind the answers, so that there are waves to restrict to and to exclude."""
        return self.structure.is_group

    @property
    def basis(self) -> Basis:
        """The waves in which spectra are: those of the group, or of addition mod p where there is none."""
        return self.structure.basis

    # --- losses and accuracies

    @cached_property
    def _losses_and_margins(self) -> tuple[Float[Tensor, "a=p b=p"], Float[Tensor, "a=p b=p"]]:
        losses, margins = losses_and_margins(self.logits.flatten(0, 1), self.answers.flatten())
        return losses.view_as(self.answers), margins.view_as(self.answers)

    @property
    def losses(self) -> Float[Tensor, "a=p b=p"]:
        """Cross-entropy of each pair over the p number classes [nats, float64]."""
        return self._losses_and_margins[0]

    @property
    def margins(self) -> Float[Tensor, "a=p b=p"]:
        """The answer's logit less the largest other number's; positive where the network is right (float64)."""
        return self._losses_and_margins[1]

    def _on(self, name: str, values: Shaped[Tensor, "a=p b=p ..."]) -> Tensor:
        return values.flatten(0, 1).index_select(0, self.pairs.rows[name])

    def on_train(self, values: Shaped[Tensor, "a=p b=p ..."]) -> Tensor:
        """The values of the training pairs."""
        return self._on("train", values)

    def on_test(self, values: Shaped[Tensor, "a=p b=p ..."]) -> Tensor:
        """The values of the other pairs."""
        return self._on("test", values)

    def on_unseen(self, values: Shaped[Tensor, "a=p b=p ..."]) -> Tensor:
        """The values of the unseen pairs."""
        return self._on("unseen", values)

    def on_mirrored(self, values: Shaped[Tensor, "a=p b=p ..."]) -> Tensor:
        """The values of the mirrored pairs."""
        return self._on("mirrored", values)

    @property
    def held_out_loss(self) -> Float[Tensor, ""]:
        """Mean cross-entropy over the unseen pairs; nan where there are none [nats]."""
        return self.on_unseen(self.losses).mean()

    @property
    def held_out_accuracy(self) -> Float[Tensor, ""]:
        """Share of the unseen pairs whose answer has the largest logit; nan where there are none."""
        return self.on_unseen(self.predictions == self.answers).double().mean()

    @cached_property
    def train_loss(self) -> Float[Tensor, ""]:
        """Mean cross-entropy over training pairs and the p number classes [nats]."""
        return self.on_train(self.losses).mean()

    @cached_property
    def test_loss(self) -> Float[Tensor, ""]:
        """Mean cross-entropy over the other pairs and the p number classes [nats]."""
        return self.on_test(self.losses).mean()

    @cached_property
    def predictions(self) -> Int[Tensor, "a=p b=p"]:
        """The number with the largest logit for each pair."""
        return self.logits.max(2).indices  # quicker on a CPU than argmax

    @cached_property
    def train_accuracy(self) -> Float[Tensor, ""]:
        return self._accuracy(self.on_train(self.predictions), self.on_train(self.answers))

    @cached_property
    def test_accuracy(self) -> Float[Tensor, ""]:
        return self._accuracy(self.on_test(self.predictions), self.on_test(self.answers))

    def _accuracy(self, predictions: Int[Tensor, " q"], answers: Int[Tensor, " q"]) -> Float[Tensor, ""]:
        right, *_, count = multiclass_stat_scores(
            predictions, answers, num_classes=self.p, average="micro", validate_args=False
        )
        accuracy: Tensor = right.double() / count
        return accuracy

    @cached_property
    def objective(self) -> Float[Tensor, ""]:
        """What training minimises: cross-entropy over training pairs and all p + 1 classes [nats]."""
        logits, answers = self._training
        right = logits.gather(1, answers[:, None]).double()
        beyond = self.on_train(self.all_logits[:, :, self.p :]).double() - right  # of "=", where it is a class
        return torch.logaddexp(self.on_train(self.losses), beyond.logsumexp(1)).mean()

    # --- sums over pairs of one answer

    @cached_property
    def _sums(self) -> tuple[Float[Tensor, "group=4 y=p c=p"], Int[Tensor, "group=4 y=p"]]:
        """Over each of `AllPairs.GROUPS`."""
        return progress.answer_sums(self.logits, self.answers, self.pairs.group, len(AllPairs.GROUPS))

    @property
    def _unseen_sums(self) -> tuple[Float[Tensor, "y=p c=p"], Int[Tensor, " y=p"]]:
        sums, counts = self._sums
        return sums[1] + sums[2], counts[1] + counts[2]

    @cached_property
    def means(self) -> Float[Tensor, "y=p c=p"]:
        """M[y, c] over all pairs. Raises `ValueError` unless `has_group`: there are no waves then."""
        if not self.has_group:
            raise ValueError(
                "The answers must be those of a group, with other names for a and b or none, to have waves."
            )
        sums, counts = self._sums
        return sums.sum(0) / counts.sum(0)[:, None]

    @cached_property
    def held_out_means(self) -> Float[Tensor, "y=p c=p"] | None:
        """M[y, c] over unseen pairs alone; None where some answer has none."""
        sums, counts = self._unseen_sums
        return None if (counts == 0).any() else sums / counts[:, None]

    # --- spectra and key frequencies

    @cached_property
    def W_E_components(self) -> Float[Tensor, " component"] | None:
        if self.W_E is None:
            return None
        return self.basis.component_norms(self.W_E.T[self.structure.first.argsort()])  # a column an element

    @cached_property
    def W_L_components(self) -> Float[Tensor, " component"] | None:
        return None if self.W_L is None else self.basis.component_norms(self.W_L)

    @cached_property
    def logit_components(self) -> Float[Tensor, " component"] | None:
        """Norms over classes of the held-out means' components along the answer; None without group or means."""
        means = self.held_out_means if self.has_group else None
        return None if means is None else self.basis.component_norms(means)

    @cached_property
    def explained(self) -> Float[Tensor, "k neuron"] | None:
        return None if self.neurons is None else spectra.explained_variance(self.neurons, self.structure)

    def key_frequencies(self, rule: str | Sequence[int]) -> list[int] | None:
        """The key frequencies by one of `RULES` or, given frequencies, those; None where the rule has no ground.

        W_L: `above_median` on W_L's output axis; without an MLP, `logits`, or `waves` where some
        answer has no unseen pair · max: `above_maximum` there ·
        W_E: `above_maximum` on W_E · neurons: `of_neurons` · logits: `above_median` on the held-out means ·
        waves: the waves above the spike.
        """
        if not isinstance(rule, str):
            self.basis.rows(rule)  # refuses what is no frequency
            return sorted(set(rule))
        if rule not in RULES:
            raise ValueError(f"`key_frequencies` must be one of {', '.join(RULES)}, or a list. Got {rule!r}.")
        if rule == "neurons":
            return None if self.explained is None else spectra.of_neurons(self.explained)
        if rule == "W_L" and self.W_L is None and self.has_group:
            rule = "waves" if self.held_out_means is None else "logits"
        if rule == "waves":
            return None if self.spike_and_waves is None else wave_frequencies(self.spike_and_waves.heights)
        if rule == "logits" or (rule == "W_L" and self.W_L is None):
            rule, components = "logits", self.logit_components
        else:
            components = self.W_E_components if rule == "W_E" else self.W_L_components
        if components is None:
            return None
        norms = self.basis.strengths(components)
        return spectra.above_median(norms) if rule in ("W_L", "logits") else spectra.above_maximum(norms)

    # --- progress measures

    @cached_property
    def _turned(self) -> Float[Tensor, "half=2 t=p"]:
        """Σ L[q, y(q) turned by t] over each half of the unseen pairs."""
        return progress.turned_sums(self._sums[0][1:3], self.structure.turn)

    @cached_property
    def symmetrized_logits(self) -> Float[Tensor, " t=p"]:
        """g over the unseen pairs; nan where there are none."""
        return self._turned.sum(0) / self.counts["unseen"]

    @cached_property
    def symmetrized_loss(self) -> Float[Tensor, ""]:
        return progress.symmetrized_loss(self.symmetrized_logits, self.structure.identity)

    @cached_property
    def symmetrized_excluded_loss(self) -> Float[Tensor, ""]:
        return progress.symmetrized_excluded_loss(*self._training, self.symmetrized_logits, self.structure.offset)

    @cached_property
    def spike_and_waves(self) -> SpikeAndWaves | None:
        """Memorization's spike and the circuit's waves in g over the unseen pairs; None where there are none."""
        if not self.counts["unseen"]:
            return None
        counts = self._sums[1][1:3].sum(1, keepdim=True)
        halves = self._turned / counts if counts.all() else None
        return spike_and_waves(self.symmetrized_logits, halves, self.structure)

    def key_losses(self, rule: str | Sequence[int]) -> dict[str, Float[Tensor, ""]]:
        """Restricted and excluded losses for the key frequencies by `rule`; none where there are no waves or keys."""
        found = self.key_frequencies(rule) if self.has_group else None
        if found is None:
            return {}
        restricted = self.restricted_losses(found)
        names = {side: "restricted_loss" if side == "all" else f"restricted_loss_{side}" for side in restricted}
        return {**{names[side]: loss for side, loss in restricted.items()}, "excluded_loss": self.excluded_loss(found)}

    def restricted_losses(self, frequencies: Sequence[int]) -> dict[str, Float[Tensor, ""]]:
        """Restricted loss on "all", "train" and "test" pairs; "held_out": on all of them, from
        logits averaged over unseen pairs alone (absent where some answer has none)."""
        _, counts = self._sums
        everything = counts.sum(0)
        rows = progress.restricted_logits(self.means, frequencies, self.basis)
        weights = {"all": everything, "train": counts[3], "test": counts[:3].sum(0)}
        losses = {name: progress.loss_by_answer(rows, weight) for name, weight in weights.items()}
        if self.held_out_means is not None:
            held_out = progress.restricted_logits(self.held_out_means, frequencies, self.basis)
            losses["held_out"] = progress.loss_by_answer(held_out, everything)
        return losses

    def excluded_loss(self, frequencies: Sequence[int]) -> Float[Tensor, ""]:
        """Excluded loss on training pairs."""
        return progress.excluded_loss(*self._training, self.means, frequencies, self.basis)

    @cached_property
    def _training(self) -> tuple[Float[Tensor, "q c=p"], Int[Tensor, " q"]]:
        return self.on_train(self.logits), self.on_train(self.answers)

    @cached_property
    def squared_weights(self) -> dict[str, Float[Tensor, ""]]:
        """Sum of squares of each parameter by name."""
        return {name: w.detach().double().square().sum() for name, w in self.weights.items()}

    @cached_property
    def sum_squared_weights(self) -> Float[Tensor, ""]:
        return torch.stack(list(self.squared_weights.values())).sum()
