"""How a run came to its algorithm: snapshots again in float64, and what measurements say (paper §5, App. C.1)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from grok.claims import training
from grok.claims.ablations import mean_by_offset, of_each_frequency
from grok.measures import progress, spectra
from grok.measures.evaluation import Evaluation
from grok.networks.subject import of_run
from grok.runs.folder import RunFolder
from grok.runs.opened import OpenedRun

ENDS = ("memorization_end", "cleanup_start", "generalized")  # between which claims compare rates


def row(evaluation: Evaluation, key_frequencies: Sequence[int]) -> dict[str, float]:
    """The curves of Fig. 7, 13, 14 and 15 at one step, by the keys of the final network.

    | Key | Value [unit] |
    |---|---|
    | `train_loss`, `test_loss`, `train_accuracy`, `test_accuracy` | of the network |
    | `unseen_…`, `mirrored_loss`, `…_accuracy` | where there are mirrored pairs |
    | `symmetrized_loss`, `symmetrized_excluded_loss` | the key-free pair [nats] |
    | `symmetrized_…_test` | the same over all test pairs, mirrored ones too: what they hide [nats] |
    | `restricted_loss…`, `excluded_loss` | as in metrics.csv [nats] |
    | `restricted_accuracy`, `excluded_accuracy` | on all pairs, on training pairs |
    | `gini_W_E`, `gini_W_L` | over frequencies |
    | `sum_squared_weights` | of all parameters |
    | `cos_k` | coefficient of cos w_k(a+b-c) in the logits |
    | `excluded_k` | train loss without the sum waves of frequency k alone [nats] |
    """
    found: dict[str, Any] = {
        "train_loss": evaluation.train_loss,
        "test_loss": evaluation.test_loss,
        "train_accuracy": evaluation.train_accuracy,
        "test_accuracy": evaluation.test_accuracy,
        "symmetrized_loss": evaluation.symmetrized_loss,
        "symmetrized_excluded_loss": evaluation.symmetrized_excluded_loss,
        "sum_squared_weights": evaluation.sum_squared_weights,
    }
    if evaluation.counts["mirrored"]:
        found |= _mirrors(evaluation)
    for name, components in (("W_E", evaluation.W_E_components), ("W_L", evaluation.W_L_components)):
        if components is not None:
            found[f"gini_{name}"] = spectra.gini(evaluation.basis.strengths(components))
    if evaluation.has_group:
        found |= _waves(evaluation, key_frequencies)
    return {name: float(value) for name, value in found.items()}


def _mirrors(evaluation: Evaluation) -> dict[str, Any]:
    right = evaluation.predictions == evaluation.answers
    over_test = Evaluation(evaluation.logits, evaluation.answers, evaluation.train, unseen=~evaluation.train)
    return {
        "unseen_loss": evaluation.held_out_loss,
        "unseen_accuracy": evaluation.held_out_accuracy,
        "mirrored_loss": evaluation.on_mirrored(evaluation.losses).mean(),
        "mirrored_accuracy": evaluation.on_mirrored(right).double().mean(),
        "symmetrized_loss_test": over_test.symmetrized_loss,
        "symmetrized_excluded_loss_test": over_test.symmetrized_excluded_loss,
    }


def _waves(evaluation: Evaluation, key_frequencies: Sequence[int]) -> dict[str, Any]:
    found: dict[str, Any] = {**evaluation.key_losses(key_frequencies)}
    p, logits, answers = evaluation.p, evaluation.on_train(evaluation.logits), evaluation.on_train(evaluation.answers)
    restricted = progress.restricted_logits(evaluation.means, key_frequencies, evaluation.basis).argmax(1)
    excluded = logits - evaluation.basis.projection(evaluation.means, key_frequencies)[answers]
    found["restricted_accuracy"] = (restricted == answers.new_tensor(range(p))).double().mean()
    found["excluded_accuracy"] = (excluded.argmax(1) == answers).double().mean()
    alpha = progress.wave_coefficients(mean_by_offset(evaluation.means, evaluation.structure), evaluation.structure)
    found |= {f"cos_{k}": value for k, value in enumerate(alpha.tolist(), 1)}
    without = of_each_frequency(evaluation.logits, evaluation.means, evaluation)
    return found | {f"excluded_{k}": losses.train for k, losses in enumerate(without, 1)}


def history(folder: RunFolder, key_frequencies: Sequence[int]) -> Iterator[dict[str, float]]:
    """A row for each kept snapshot."""
    run = OpenedRun(folder, trust=True)
    steps = run.steps
    first = of_run(run, steps[0])
    for step in steps:
        evaluation, *_ = replace(first, weights=folder.load_snapshot(step)).opened()
        yield {"step": step, **row(evaluation, key_frequencies)}


def training_record(folder: RunFolder) -> training.Record:
    """What claims about training are measured on: the run's own tables and events."""
    phases: Mapping[str, Any] = folder.summary().get("phases") or {}
    if not folder.holds(folder.metrics) or not phases:
        return training.Record({}, {}, None, "its run has not ended")
    final_keys = folder.read(folder.final_keys) if folder.holds(folder.final_keys) else pd.DataFrame()
    memorized, cleaning, generalized = (phases.get(name) for name in ENDS)
    return training.Record(
        metrics=_columns(folder.read(folder.metrics)),
        final_keys=_columns(final_keys),
        ends=(memorized[1], cleaning[1], generalized[1]) if memorized and cleaning and generalized else None,
        why_missing="the run did not come to all of its events within its steps",
    )


def _columns(table: pd.DataFrame) -> dict[str, list[int | float]]:
    return {str(name): table[name].tolist() for name in table.select_dtypes("number")}


def lottery(folder: RunFolder, key_frequencies: Sequence[int]) -> dict[str, dict[int, int]]:
    """When each final key entered the key set for good, and the losers, from metrics.csv."""
    metrics = folder.read(folder.metrics)
    sets = [[int(k) for k in text.split()] if isinstance(text, str) else [] for text in metrics["keys"]]
    return training.lottery(metrics["step"].tolist(), sets, key_frequencies)
