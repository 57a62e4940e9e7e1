"""The network to be analysed: a snapshot of one of our runs, or a file of somebody else's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from grok.claims.anatomy import Anatomy
from grok.measures.evaluation import Evaluation
from grok.networks import layouts, readings, split_files
from grok.networks.embedding_mlp import EmbeddingMLP
from grok.networks.other_transformer import OtherTransformer
from grok.runs.configuration import PARTS, task_words
from grok.runs.opened import OpenedRun
from grok.runs.parts import named
from grok.tasks import operations, tables
from grok.tasks.structure import structure

# Names of the authors' tasks, and ours.
FUNCTIONS = {"add": "addition", "subtract": "subtraction", "x2xyy2": "x2+xy+y2"}
DISAGREES = 0.1  # relative difference of train losses beyond which the split is probably another


DEEPER = "it has more than one layer"
OtherNetwork = OtherTransformer | EmbeddingMLP


@dataclass(frozen=True)
class Subject:
    """A network, the pairs it was trained on, and what is known of it."""

    weights: Mapping[str, Tensor]
    answers: Tensor
    train: Bool[Tensor, "a=p b=p"]
    activation: str
    operation: str
    step: int | None
    name: str
    stored_train_loss: float | None
    tokens: str = "a b ="
    attention: str = "causal"
    attention_rate: float = 1.0
    task: str = ""  # in a word or two, where it is not "operation mod p"
    modulus: int | None = None  # where it is not the number of symbols
    stored_train_losses: Sequence[float] = ()

    @property
    def p(self) -> int:
        return len(self.answers)

    @property
    def unlike(self) -> str | None:
        """Why it cannot be taken apart as the paper's network is, or None."""
        layers, widths = layouts.layers(self.weights), self.weights["W_E"].shape[1] - self.p
        if layers == 0:
            return "it has no attention"
        if "=" not in self.tokens:
            return 'it has no "="'
        if not self.tokens.endswith("="):
            return 'it does not read its answer at "="'
        if self.attention_rate != 1:
            return "its attention is a constant in part"
        if layers > 1:
            return DEEPER if self.attention == "causal" else "it has more than one layer, and attention to both sides"
        return None if widths == 1 else "it embeds the numbers a and b apart"

    def other(self) -> OtherNetwork:
        """It as a network that answers pairs, in float64, whatever its parts."""
        weights = {name: w.detach().double() for name, w in self.weights.items()}
        if layouts.layers(weights) == 0:
            return EmbeddingMLP(weights, self.activation)
        reading = self.tokens, self.attention, self.attention_rate, self.activation
        return OtherTransformer(weights, self.p, *reading)

    def renamed(self) -> "Subject":
        """The same network, its symbols renamed so that it adds, where its answers are those of a cyclic group.

        Multiplication mod p is addition of discrete logarithms: every claim about addition can be asked of it. The
        network itself where it adds already, has no such group, or embeds the numbers otherwise than the paper's.
        """
        found = structure(self.answers)
        p, W_E = self.p, self.weights["W_E"]
        if not found.is_group or found.number is None or W_E.ndim != 2 or W_E.shape[1] not in (p, p + 1):
            return self
        order = found.number.argsort()  # the symbol of each number
        answers = found.number[self.answers[order][:, order]]
        if not operations.is_linear(answers):
            return self

        def columns(w: Tensor) -> Tensor:
            return torch.cat([w[..., :p][..., order.to(w.device)], w[..., p:]], -1)

        weights = {name: columns(w) if name in ("W_E", "W_U", "b_U") else w for name, w in self.weights.items()}
        return replace(self, weights=weights, answers=answers, train=self.train[order][:, order])

    def opened(self) -> tuple[Evaluation, Anatomy | None, Float[Tensor, " c=p"]]:
        """Its evaluation in float64, its parts where it has the paper's, and what the last biases add to the logits;
        in the order in which its answers are a + b, where there is one."""
        return self.renamed()._opened()

    def as_it_is(self) -> Evaluation:
        """Its evaluation in float64, with the symbols' own names."""
        return self._opened()[0]

    def _opened(self) -> tuple[Evaluation, Anatomy | None, Float[Tensor, " c=p"]]:
        for name, w in self.weights.items():
            if not w.isfinite().all():
                raise ValueError(f"The network must have finite weights. {self.name} has others in {name}.")
        if self.unlike is None:
            network = Anatomy(self.weights, self.answers, self.train, self.activation)
            bias = network.skip_logits(torch.zeros(1, 1, network.streams[2].shape[1], dtype=torch.float64))[0, 0]
            return network.evaluation, network, bias
        other = self.other()
        return _as_sums(Evaluation.of(other, self.answers, self.train), other.weights), None, other.bias()

    def pair_losses(self) -> Float[Tensor, "a=p b=p"]:
        """The loss on each pair, in the order of the numbers."""
        with torch.no_grad():
            evaluation = self.as_it_is()
        if not evaluation.is_linear:
            return evaluation.losses
        first, second = operations.as_sums(self.answers)
        losses = torch.empty_like(evaluation.losses)
        losses[first[:, None], second] = evaluation.losses
        return losses

    def untrained(self) -> "Subject":
        """A network of the same parts with the weights it might have begun with, as our own are drawn; seed 0."""
        generator, d_model = torch.Generator().manual_seed(0), len(self.weights["W_E"])

        def drawn(name: str, w: Tensor) -> Tensor:
            if name.rpartition(".")[2].startswith("b_"):
                return torch.zeros_like(w)
            classes = (len(w), max(self.p + 1, w.shape[1]))  # of W_U, which may lack "="
            random = torch.randn(classes if name == "W_U" else w.shape, generator=generator)
            scaled: Tensor = random * (self.p + 1 if name == "W_U" else d_model) ** -0.5
            return scaled[:, : w.shape[1]] if name == "W_U" else scaled

        weights = {name: drawn(name, self.weights[name]) for name in sorted(self.weights)}
        return replace(self, weights=weights, name="untrained", step=None, stored_train_loss=None)


def _as_sums(evaluation: Evaluation, weights: Mapping[str, Tensor]) -> Evaluation:
    """The same evaluation with its weights, in the order in which answers are a + b, where there is one."""
    number = torch.arange(evaluation.p)
    first, second = operations.as_sums(evaluation.answers) if evaluation.is_linear else (number, number)

    def ordered(x: Tensor) -> Tensor:
        return x[first][:, second]

    return Evaluation(
        ordered(evaluation.logits),
        ordered(evaluation.answers),
        ordered(evaluation.train),
        None if evaluation.neurons is None else ordered(evaluation.neurons),
        evaluation.W_E,
        evaluation.W_L,
        weights,
        ordered(evaluation.unseen),
    )


# --- our own runs


def of_run(run: OpenedRun, step: int) -> Subject:
    """One of our runs at one of its kept steps. `ValueError` for a network other than the paper's transformer."""
    target = run.config.model.get("_target_", PARTS["model"])
    if target != PARTS["model"]:
        raise ValueError(f"The paper's claims are about its transformer. The network of {run.folder.path} is {target}.")
    metrics = run.metrics
    rows = metrics[metrics["step"] == step]
    return Subject(
        weights=run.folder.load_snapshot(step),
        answers=run.answers,
        train=run.train,
        activation=run.config.model.activation,
        operation=run.config.data.get("operation", "its own"),
        step=step,
        name=run.config.name,
        task=task_words(run.config.data) if "operation" in run.config.data else "",
        stored_train_loss=float(rows["loss/train"].iloc[0]) if "loss/train" in rows and len(rows) else None,
    )


# --- other people's


def of_file(file: Path, settings: Mapping[str, Any]) -> Subject:
    """A network from a file; what `settings` leaves open (None) is taken from the file's own config.

    `settings` has data.p, data.operation, data.seed, data.train_fraction, split and model.activation; it may have
    step, of a file of several, and model.tokens, model.attention and model.attention_rate.
    """
    step = settings.get("step", "last")
    found = layouts.checkpoint(file, None if step == "last" else step, settings["data.p"])
    own_operation = str(found.config.get("fn_name", "add"))
    operation = settings["data.operation"] or FUNCTIONS.get(own_operation, own_operation)
    modulus, seed = found.config.get("modulus", found.p), settings["data.seed"]
    seed = found.config.get("data.seed", found.config.get("seed")) if seed is None else seed
    with named("data"):
        answers = tables.table(operation, modulus, seed or 0).answers
    if len(answers) != found.p:
        raise ValueError(
            f"`data.operation` must have as many symbols as the network. {operation} has {len(answers)} for {modulus},"
            f" the network of {file} {found.p}."
        )
    subject = Subject(
        weights=found.weights,
        answers=answers,
        train=torch.zeros_like(answers, dtype=torch.bool),
        operation=operation,
        task=task_words({"operation": operation, "p": modulus}),
        modulus=modulus,
        step=found.step,
        name=file.stem,
        stored_train_loss=found.train_loss,
        stored_train_losses=found.train_losses,
        **readings.reading(found, settings)._asdict(),
    )
    return replace(subject, train=split_files.training_pairs(file, found, settings, subject.pair_losses))
