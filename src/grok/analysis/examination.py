"""A network examined: its evaluation, its parts and what was found in it, of which every claim is judged."""

from collections.abc import Sequence
from typing import NamedTuple

import torch

from grok.analysis.history import training_values
from grok.claims.anatomy import Anatomy
from grok.claims.findings import Findings, findings
from grok.measures.evaluation import Evaluation
from grok.networks.subject import Subject
from grok.runs.folder import RunFolder


class Examination(NamedTuple):
    """What claims and figures are made from."""

    evaluation: Evaluation
    network: Anatomy | None
    findings: Findings


def examination(subject: Subject, folder: RunFolder | None, rule: str | Sequence[int]) -> Examination:
    """The network examined by the key frequencies of `rule`; of a run, with what its measurements say."""
    with torch.no_grad():
        evaluation, network, bias = subject.opened()
        found = findings(evaluation, network, bias, rule if isinstance(rule, str) else list(rule))
        if folder is not None:
            values, notes, found.unmet["training"] = training_values(folder)
            found.values.update(values)
            found.notes.update(notes)
    return Examination(evaluation, network, found)
