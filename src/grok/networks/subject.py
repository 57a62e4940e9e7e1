"""The network to be analysed: a snapshot of one of our runs, or a file of somebody else's."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from grok.claims.anatomy import Anatomy
from grok.measures.evaluation import Evaluation
from grok.model.transformer import ACTIVATIONS, Transformer
from grok.networks import layouts, split_files
from grok.runs.configuration import PARTS
from grok.runs.opened import OpenedRun
from grok.runs.parts import named
from grok.tasks import operations

# Names of the authors' tasks, and ours.
FUNCTIONS = {"add": "addition", "subtract": "subtraction", "x2xyy2": "x2+xy+y2"}
DISAGREES = 0.1  # relative difference of train losses beyond which the split is probably another


@dataclass(frozen=True)
class Subject:
    """A network, the pairs it was trained on, and what is told of it."""

    weights: Mapping[str, Tensor]
    answers: Tensor
    train: Bool[Tensor, "a=p b=p"]
    activation: str
    operation: str
    step: int | None
    name: str
    stored_train_loss: float | None

    @property
    def p(self) -> int:
        return len(self.answers)

    def opened(self) -> tuple[Evaluation, Anatomy | None, Float[Tensor, " c=p"]]:
        """Its evaluation in float64, its parts where it has one layer, and what the last biases add to the logits."""
        for name, w in self.weights.items():
            if not w.isfinite().all():
                raise ValueError(f"The network must have finite weights. {self.name} has others in {name}.")
        if layouts.layers(self.weights) == 1:
            network = Anatomy(self.weights, self.answers, self.train, self.activation)
            bias = network.skip_logits(torch.zeros(1, 1, network.streams[2].shape[1], dtype=torch.float64))[0, 0]
            return network.evaluation, network, bias
        return self._of_layers()

    def pair_losses(self) -> Float[Tensor, "a=p b=p"]:
        """The loss on each pair, in the order of the numbers."""
        with torch.no_grad():
            evaluation, *_ = self.opened()
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
            classes = (d_model, self.p + 1)  # of W_U, which may lack "="
            random = torch.randn(classes if name == "W_U" else w.shape, generator=generator)
            scaled: Tensor = random * (self.p + 1 if name == "W_U" else d_model) ** -0.5
            return scaled[:, : w.shape[1]] if name == "W_U" else scaled

        weights = {name: drawn(name, self.weights[name]) for name in sorted(self.weights)}
        return replace(self, weights=weights, name="untrained", step=None, stored_train_loss=None)

    def _of_layers(self) -> tuple[Evaluation, None, Float[Tensor, " c=p"]]:
        weights = {name: w.double() for name, w in self.weights.items()}
        extra = [name for name in weights if layouts.kind_of(name) in layouts.EXTRA_BIASES]
        if extra:
            raise ValueError(f"A network of several layers must have biases in its MLPs alone here. It has {extra[0]}.")
        W_Q = weights["blocks.0.W_Q"]
        if W_Q.shape[0] * W_Q.shape[1] != W_Q.shape[2]:
            raise ValueError(
                f"A network of several layers must have heads of d_model / heads here. Its d_head is {W_Q.shape[1]}."
            )
        if weights["W_U"].shape[1] == self.p:  # no class for "=": one that nobody reads
            weights["W_U"] = torch.nn.functional.pad(weights["W_U"], (0, 1))
        sizes = {"d_model": W_Q.shape[2], "n_heads": W_Q.shape[0], "n_layers": layouts.layers(weights)}
        d_mlp = len(weights["blocks.0.b_in"]) if "blocks.0.b_in" in weights else 0
        network = Transformer(self.p, **sizes, d_mlp=d_mlp, activation=self.activation).double().eval()
        network.load_state_dict(weights)
        network.requires_grad_(False)
        whole = Evaluation.of(network, self.answers, self.train)
        last = network.layers[-1]
        bias = (last.b_out @ network.W_U[:, : self.p]).detach() if d_mlp else torch.zeros(self.p, dtype=torch.float64)
        return _as_sums(whole), None, bias


def _as_sums(evaluation: Evaluation) -> Evaluation:
    """The same evaluation in the order in which answers are a + b, where there is one."""
    if not evaluation.is_linear:
        return evaluation
    first, second = operations.as_sums(evaluation.answers)

    def ordered(x: Tensor) -> Tensor:
        return x[first][:, second]

    return Evaluation(
        ordered(evaluation.logits),
        ordered(evaluation.answers),
        ordered(evaluation.train),
        None if evaluation.neurons is None else ordered(evaluation.neurons),
        None if evaluation.W_E is None else evaluation.W_E.detach(),
        None if evaluation.W_L is None else evaluation.W_L.detach(),
        evaluation.weights,
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
        stored_train_loss=float(rows["loss/train"].iloc[0]) if "loss/train" in rows and len(rows) else None,
    )


# --- other people's


def of_file(file: Path, told: Mapping[str, Any]) -> Subject:
    """A network from a file; what `told` leaves open (None) is taken from the file's own config.

    `told` has data.p, data.operation, data.seed, data.train_fraction, split and model.activation.
    """
    found = layouts.checkpoint(file)
    own = found.config
    for p, where in ((told["data.p"], "`data.p`"), (own.get("p"), f"p in {file}")):
        if p is not None and p != found.p:
            raise ValueError(f'{where} must be {found.p}, since the network embeds {found.p} numbers and "=". Got {p}.')
    own_operation = str(own.get("fn_name", "add"))
    operation = told["data.operation"] or FUNCTIONS.get(own_operation, own_operation)
    activation = told["model.activation"] or str(own.get("act_fn", own.get("act_type", "relu"))).lower()
    if activation not in ACTIVATIONS:
        raise ValueError(f"`model.activation` must be one of {', '.join(ACTIVATIONS)}. Got {activation!r}.")
    with named("data"):
        answers = operations.answers(operations.operation_named(operation), found.p)
    subject = Subject(
        weights=found.weights,
        answers=answers,
        train=torch.zeros_like(answers, dtype=torch.bool),
        activation=activation,
        operation=operation,
        step=found.step,
        name=file.stem,
        stored_train_loss=found.train_loss,
    )
    return replace(subject, train=split_files.training_pairs(file, found, told, subject.pair_losses))
