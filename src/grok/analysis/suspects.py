"""Whether a network is read as it was meant: another operation, token order or activation that fits better is named."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import torch
from torch import Tensor

from grok.claims.facts import ANSWERS
from grok.measures.evaluation import Evaluation
from grok.model.transformer import ACTIVATIONS
from grok.networks.subject import Subject
from grok.tasks import operations

NUMBERS_LAST = '"=" as its first token, before the numbers'


def suspicion(subject: Subject, evaluation: Evaluation) -> str | None:
    """A sentence for a network that does not answer as it is read, though it does when it is read otherwise.

    Where its training pairs are answered it is read rightly, whatever it makes of the others.
    """
    if float(evaluation.train_accuracy) > ANSWERS or len(evaluation.train) < 3:
        return None
    own = float((evaluation.predictions == evaluation.answers).double().mean())
    fits = [how for how, accuracy in _other_readings(subject) if accuracy > max(ANSWERS, own)]
    if not fits:
        return None
    return (
        f"The network answers {own:.0%} of all pairs of {subject.operation} read with {subject.activation}, and nearly"
        f" all of them as {', or as '.join(fits)}: it is probably read wrongly."
    )


def _other_readings(subject: Subject) -> Iterator[tuple[str, float]]:
    """Each other way to read the network, in words, and the accuracy on all pairs by it."""
    tables = {name: operations.answers(operation, subject.p) for name, operation in operations.OPERATIONS.items()}
    readings = {
        **{name: replace(subject, activation=name) for name in ACTIVATIONS if name != subject.activation},
        NUMBERS_LAST: replace(subject, weights=_numbers_last(subject.weights)),
    }
    for name, table in tables.items():
        if name != subject.operation:
            yield f"data.operation={name}", _accuracy(subject, table)
    for words, other in readings.items():
        for name, table in tables.items():
            how = words if words == NUMBERS_LAST else f"model.activation={words}"
            same = name == subject.operation
            yield how if same else f"{how} with data.operation={name}", _accuracy(other, table)


def _numbers_last(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of a network whose vocabulary begins with "=", in our order."""
    rolled = {name: w.roll(-1, 1) if name in ("W_E", "W_U") and w.shape[1] > 1 else w for name, w in weights.items()}
    return {name: w.roll(-1, 0) if name == "b_U" and w.ndim else w for name, w in rolled.items()}


def _accuracy(subject: Subject, answers: Tensor) -> float:
    """Accuracy on all pairs. Each reading is answered in the order of a + b where its answers have one."""
    with torch.no_grad():
        evaluation, *_ = replace(subject, answers=answers).opened()
    return float((evaluation.predictions == evaluation.answers).double().mean())
