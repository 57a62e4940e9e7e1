"""What grok.analyze says of a network: analysis.json, and warnings."""

import math
from collections.abc import Sequence
from typing import Any

import torch

from grok.analysis.examination import Examination
from grok.analysis.groups import group_of
from grok.analysis.history import lottery
from grok.analysis.suspects import suspicions
from grok.networks.subject import Subject
from grok.runs.folder import RunFolder


def contents(
    subject: Subject, folder: RunFolder | None, rule: str | list[int], examined: Examination, warnings: Sequence[str]
) -> dict[str, Any]:
    """What analysis.json says."""
    evaluation, _, facts = examined
    has_measurements = folder is not None and folder.holds(folder.metrics)
    with torch.no_grad():
        claims, group = examined.claims(subject, rule), group_of(subject, examined)
    report = {
        "name": subject.name,
        "step": -1 if subject.step is None else subject.step,
        "p": facts.p,
        "operation": subject.operation,
        "task": subject.task or f"{subject.operation} mod {subject.p}",
        "training_pairs": int(subject.train.sum()),
        "key_frequencies": facts.key_frequencies,
        "key_rule": rule,
        "accuracy": facts.accuracy,
        "train_accuracy": float(evaluation.train_accuracy),
        "test_accuracy": float(evaluation.test_accuracy),
        "unseen_accuracy": float(evaluation.held_out_accuracy),
        "pairs": evaluation.counts,
        "loss": facts.losses["original"].all,
        "sum_squared_weights": math.fsum(evaluation.squared_weights.values()),
        "warnings": list(warnings),
        "claims": claims,
        "symmetrized_loss": float(evaluation.symmetrized_loss),
        "symmetrized_excluded_loss": float(evaluation.symmetrized_excluded_loss),
        "losses": {name: losses._asdict() for name, losses in facts.losses.items()},
        "frequencies": facts.frequencies,
        "group": group,
        "heads": facts.heads,
        "neurons": facts.neurons,
        "lottery": lottery(folder, facts.key_frequencies) if folder is not None and has_measurements else None,
    }
    return {name: finite(value) for name, value in report.items()}


def warnings_about(subject: Subject, examined: Examination) -> list[str]:
    """What a reader should know before the numbers: wrong pairs, a wrong reading, worse than chance."""
    evaluation, _, facts = examined
    loss = facts.losses["original"].all
    with torch.no_grad():
        found = suspicions(subject, evaluation)
    if loss > math.log(facts.p):
        found.append(
            f"The loss on all pairs, {loss:.3g}, is above chance level, ln {facts.p} = {math.log(facts.p):.3g}:"
            " the network is confidently wrong on many of them."
        )
    return found


def finite(value: Any) -> Any:
    """The same with null for what is no finite number."""
    if isinstance(value, dict):
        return {str(name): finite(x) for name, x in value.items()}
    if isinstance(value, list | tuple):
        return [finite(x) for x in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
