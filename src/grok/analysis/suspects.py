"""Whether a network is read as it was meant: every other reading, and every split, that fits much better is named."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from grok.claims.facts import ANSWERS
from grok.measures.evaluation import Evaluation
from grok.model.cross_entropy import cross_entropies
from grok.model.transformer import OTHER_ACTIVATIONS
from grok.networks.layouts import layers
from grok.networks.other_transformer import ATTENTIONS, ORDERS
from grok.networks.subject import DISAGREES, Subject
from grok.tasks import operations, splits

NUMBERS_LAST = '"=" as its first token, before the numbers'
RATES = (1.0, 0.0)  # of attention: a clock's and a pizza's
SAMPLE = 400  # pairs on which readings are tried
FRACTIONS, SEEDS = (0.1, 0.2, 0.25, 0.28, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95), range(5)  # that are tried
SAME = 1e-3  # relative difference of train losses that the right split leaves, by rounding
SLINGSHOT = 100  # how far the last train loss is above the level before, as in the rule of a run's slingshots
SETTLED = 1e-4  # train loss [nats] below which no end is one


def suspicions(subject: Subject, evaluation: Evaluation) -> list[str]:
    """A sentence for each sign that network, reading and training pairs do not belong together."""
    found = (loss_suspicion(subject, evaluation), slingshot(subject), suspicion(subject, evaluation))
    return [sentence for sentence in found if sentence]


# --- another reading


def suspicion(subject: Subject, evaluation: Evaluation) -> str | None:
    """A sentence for a network that does not answer as it is read, though it does when it is read otherwise.

    Where its training pairs are answered it is read rightly, whatever it makes of the others.
    """
    if float(evaluation.train_accuracy) > ANSWERS or len(evaluation.train) < 3:
        return None
    own = float((evaluation.predictions == evaluation.answers).double().mean())
    fitting = [changes for changes, accuracy in other_readings(subject) if accuracy > max(ANSWERS, own)]
    least = [changes for changes in fitting if not any(fewer < changes for fewer in fitting)]
    if not least:
        return None
    ways = ", or as ".join(" with ".join(sorted(changes, reverse=True)) for changes in least)
    return (
        f"The network answers {own:.0%} of all pairs of {subject.operation} read with {subject.activation}, and nearly"
        f" all of them as {ways}: it is probably read wrongly."
    )


def other_readings(subject: Subject) -> Iterator[tuple[frozenset[str], float]]:
    """Each other way to read the network, as the settings that differ, and its accuracy on some of the pairs."""
    p, generator = subject.p, torch.Generator().manual_seed(0)
    some = torch.randperm(p * p, generator=generator)[:SAMPLE]
    tables = {name: operations.answers(operation, p) for name, operation in operations.OPERATIONS.items()}
    answers = {name: table.flatten()[some] for name, table in {**tables, subject.operation: subject.answers}.items()}
    for changes, other in _changed(subject):
        predictions = other.other()(some // p, some % p).argmax(1)
        for operation, right in answers.items():
            more = set() if operation == subject.operation else {f"data.operation={operation}"}
            if changes | more:
                yield frozenset(changes | more), float((predictions == right).double().mean())


def _changed(subject: Subject) -> Iterator[tuple[set[str], Subject]]:
    """The network as it is read, and by every combination of what its tensors do not tell."""
    axes: dict[str, tuple[Any, ...]] = {"activation": tuple(OTHER_ACTIVATIONS)}
    if n_layers := layers(subject.weights):
        length = len(subject.tokens.split())
        axes["tokens"] = tuple(order for order in ORDERS if len(order.split()) == length)
        axes["attention"] = ATTENTIONS if n_layers > 1 else (subject.attention,)  # of one, the last sees all anyway
        axes["attention_rate"] = tuple(dict.fromkeys((subject.attention_rate, *RATES)))
    for values in itertools.product(*axes.values()):
        reading = dict(zip(axes, values, strict=True))
        changes = {
            f"model.{name}={f'{x!r}' if name == 'tokens' else f'{x:g}' if isinstance(x, float) else x}"
            for name, x in reading.items()
            if x != getattr(subject, name)
        }
        other = replace(subject, **reading)
        yield changes, other
        if n_layers and "=" in subject.tokens:
            yield {*changes, NUMBERS_LAST}, replace(other, weights=_numbers_last(subject.weights))


def _numbers_last(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of a network whose vocabulary begins with "=", in our order."""
    rolled = {name: w.roll(-1, 1) if name in ("W_E", "W_U") and w.shape[1] > 1 else w for name, w in weights.items()}
    return {name: w.roll(-1, 0) if name == "b_U" and w.ndim else w for name, w in rolled.items()}


# --- another train loss than the stored one


def loss_suspicion(subject: Subject, evaluation: Evaluation) -> str | None:
    """A sentence where the recomputed train loss is off the stored one, with every split and reading that gives it."""
    stored, loss = subject.stored_train_loss, float(evaluation.train_loss)
    if not stored or abs(loss - stored) <= DISAGREES * abs(stored):
        return None
    splits_off, readings_off = _of_splits(subject, stored), _of_readings(subject, stored)
    differences = {**splits_off, **readings_off}
    same = [way for way, difference in differences.items() if difference <= SAME]
    near = same or [way for way, difference in differences.items() if difference <= DISAGREES]
    others = "the training pairs are probably others (data.seed, data.train_fraction, split)"
    if near and not splits_off.keys() & set(near):
        others = "the network is probably read wrongly"
    also = f" {', or '.join(near)} would give {'that' if same else 'nearly that'}." if near else ""
    return f"The recomputed train loss is {loss:.3e}, the stored one {stored:.3e}: {others}.{also}"


def _of_splits(subject: Subject, stored: float) -> dict[str, float]:
    """How far the train loss is off the stored one by each split that is tried, relatively."""
    each = subject.pair_losses()
    return {
        f"data.train_fraction={fraction:g} data.seed={seed}": abs(float(each[train].mean()) / stored - 1)
        for fraction, seed in itertools.product(FRACTIONS, SEEDS)
        if int(fraction * subject.p**2)
        for train in [splits.train_mask(subject.p, fraction, seed)]
    }


def _of_readings(subject: Subject, stored: float) -> dict[str, float]:
    """The same by each other reading, for the operation and the training pairs as they are."""
    a, b = subject.train.nonzero().unbind(1)
    right = subject.answers[a, b]
    return {
        " with ".join(sorted(changes)): abs(float(cross_entropies(other.other()(a, b), right).mean()) / stored - 1)
        for changes, other in _changed(subject)
        if changes
    }


# --- inside a slingshot


def slingshot(subject: Subject) -> str | None:
    """A sentence where the stored train losses end far above where they were: such a network is no finished one."""
    losses = subject.stored_train_losses
    if not losses:
        return None
    before = min(losses)
    if losses[-1] <= max(SETTLED, SLINGSHOT * before):
        return None
    return (
        f"The stored train losses end at {losses[-1]:.2e}, {losses[-1] / before:,.0f} times their least,"
        f" {before:.2e}: the network may be inside a slingshot."
    )
