"""A network examined: its evaluation, its parts, and what every claim is judged by."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch

from grok.analysis.history import training_record
from grok.claims.anatomy import Anatomy
from grok.claims.facts import NetworkFacts
from grok.claims.judgements import beside_untrained, judgements
from grok.measures.evaluation import Evaluation
from grok.networks.subject import Subject
from grok.runs.folder import RunFolder


class Examination(NamedTuple):
    """What claims and figures are made from."""

    evaluation: Evaluation
    network: Anatomy | None
    facts: NetworkFacts

    def claims(self, subject: Subject, rule: str | Sequence[int]) -> list[dict[str, Any]]:
        """Every claim judged, beside a network of the same parts that was never trained."""
        untrained = examination(subject.untrained(), None, rule)
        return beside_untrained(judgements(self.facts), judgements(untrained.facts))


def examination(subject: Subject, folder: RunFolder | None, rule: str | Sequence[int]) -> Examination:
    """The network examined by the key frequencies of `rule`; of a run, with what its measurements say."""
    with torch.no_grad():
        evaluation, network, bias = subject.opened()
        record = None if folder is None else training_record(folder)
        facts = NetworkFacts(
            evaluation,
            network,
            bias,
            rule if isinstance(rule, str) else list(rule),
            record,
            None if network else subject.renamed().other(),
            subject.unlike or "",
        )
    return Examination(evaluation, network, facts)
