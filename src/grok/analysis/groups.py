"""What grok.analyze says of a network whose answers are those of another group than addition."""

import math
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from grok.analysis.examination import Examination
from grok.claims import logits
from grok.claims.ablations import mean_by_offset
from grok.measures import progress, spectra
from grok.measures.cosets import coset_concentration
from grok.measures.evaluation import Evaluation
from grok.networks.subject import Subject
from grok.tasks import fourier

COSETS = 1 - spectra.EXPLAINED  # of its variance, of a and of b, that a coset neuron has within cosets at most
DENSER = 0.2  # a Gini coefficient lower by so much, in the order of the numbers, says that the basis is the wrong one


def group_of(subject: Subject, examined: Examination) -> dict[str, Any] | None:
    """The group, its representations, and the two rival readings of the neurons; None for addition or no group."""
    as_it_is = examined.evaluation if subject.renamed() is subject else subject.as_it_is()
    found = as_it_is.structure
    if not found.is_group or found.has_waves:
        return None
    rows = _representations(as_it_is)
    return {
        "name": found.name,
        "words": found.words,
        "representations": rows,
        "plain_gini": _plain_ginis(as_it_is),
        "neurons": _neurons(as_it_is),
    }


def lines(group: dict[str, Any] | None) -> list[str]:
    """The same in a few lines."""
    if group is None:
        return []
    said = [group["words"]]
    for matrix, (own, plain) in group["plain_gini"].items():
        if own - plain > DENSER:
            said.append(
                f"{matrix} looks dense in the order of the numbers (Gini {plain:.2f} over frequencies), and is sparse"
                f" in the basis of {group['name']} ({own:.2f})"
            )
    neurons = group["neurons"]
    if neurons:
        of_cosets, parts = neurons["of_cosets"], neurons["parts"]
        by_cosets = "not measured" if of_cosets is None else f"{of_cosets:.0%}"
        said.append(
            f"neurons of one representation {neurons['of_one_representation']:.0%}, of one subgroup's cosets"
            f" {by_cosets}; of all their variance functions of a alone {parts['a']:.0%}, of b alone {parts['b']:.0%},"
            f" of the answer alone {parts['answer']:.0%}"
        )
    return said


def _representations(evaluation: Evaluation) -> list[dict[str, Any]]:
    """A row for each: its name and degree, shares of the matrices, and how much of the logits is its character's."""
    basis, group = evaluation.basis, evaluation.structure
    alpha = progress.wave_coefficients(mean_by_offset(evaluation.means, group), group)
    fit = logits.variances_of_cosines(alpha, evaluation.p, basis) / logits.variance(evaluation.logits)
    columns: dict[str, Any] = {
        "k": list(range(1, basis.count + 1)),
        "name": basis.names,
        "degree": basis.degrees,
        "logits_explained": fit.tolist(),
    }
    for name, components in (("W_E", evaluation.W_E_components), ("W_L", evaluation.W_L_components)):
        if components is not None:
            columns[f"share_{name}"] = spectra.shares(basis.norms(components)).tolist()
    if evaluation.explained is not None:
        best, k = evaluation.explained.max(0)
        columns["neurons"] = torch.bincount(k[best > spectra.EXPLAINED], minlength=basis.count).tolist()
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _plain_ginis(evaluation: Evaluation) -> dict[str, tuple[float, float]]:
    """Of W_E and W_L the Gini coefficient over representations, and over plain frequencies."""
    matrices: dict[str, tuple[Float[Tensor, "x d"] | None, Float[Tensor, " component"] | None]] = {
        "W_E": (None if evaluation.W_E is None else evaluation.W_E.T, evaluation.W_E_components),
        "W_L": (evaluation.W_L, evaluation.W_L_components),
    }
    return {
        name: (
            float(spectra.gini(evaluation.basis.strengths(components))),
            float(spectra.gini(fourier.frequency_norms(fourier.component_norms(matrix)))),
        )
        for name, (matrix, components) in matrices.items()
        if matrix is not None and components is not None
    }


def _neurons(evaluation: Evaluation) -> dict[str, Any]:
    """Representations and cosets side by side; the shares of the parts are of all neurons' variance together."""
    if evaluation.neurons is None or evaluation.explained is None:
        return {}
    neurons, group = evaluation.neurons, evaluation.structure
    parts = spectra.explained_parts(neurons, evaluation.answers, group).sum(1)
    variance = neurons.double().var((0, 1))
    weights = variance / variance.sum().clamp_min(torch.finfo(torch.float64).tiny)
    concentration = coset_concentration(neurons, group)
    table: dict[str, Any] = {
        "of_one_representation": float((evaluation.explained.amax(0) > spectra.EXPLAINED).double().mean()),
        "of_cosets": None if concentration is None else float((concentration < COSETS).all(0).double().mean()),
        "parts": dict(zip(("a", "b", "answer"), (parts @ weights).tolist(), strict=True)),
    }
    if concentration is not None:
        table["coset_concentration"] = [
            [x if math.isfinite(x) else None for x in row] for row in concentration.tolist()
        ]
    return table
