"""Each claim judged by what is known of a network, in the words of the table and of analysis.json."""

from collections.abc import Sequence
from typing import Any

from grok.claims.claim import Claim
from grok.claims.facts import NetworkFacts
from grok.claims.statements import CLAIMS


def judgement(claim: Claim, facts: NetworkFacts) -> dict[str, Any]:
    """One claim judged: what analysis.json says of it."""
    value, note = claim.measured(facts)
    row = {
        "id": claim.id,
        "part": claim.part,
        "claim": claim.statement if facts.evaluation.is_linear else claim.in_groups or claim.statement,
        "section": claim.section,
        "paper": claim.paper.words,
        "criterion": claim.criterion,
    }
    if value is None:
        return {**row, "here": "-", "value": None, "holds": None, "note": f"does not apply: {note}"}
    verdict = claim.level.holds(value) if claim.level.judges else None
    here = _written(claim.form, value, facts)
    return {**row, "here": here, "value": value, "holds": verdict, "note": note}


def judgements(facts: NetworkFacts) -> list[dict[str, Any]]:
    """Every claim judged, in order."""
    return [judgement(claim, facts) for claim in CLAIMS]


def beside_untrained(rows: Sequence[dict[str, Any]], untrained: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The claims judged, each with what a network of the same parts with untrained weights has.

    A claim that an untrained network meets says nothing alone.
    """
    names = {"here": "untrained_here", "value": "untrained", "holds": "untrained_holds"}
    return [row | {new: other[old] for old, new in names.items()} for row, other in zip(rows, untrained, strict=True)]


def _written(form: str, value: float, facts: NetworkFacts) -> str:
    if form == "ratio":
        change = f"{100 * (value - 1):+.0f} %" if value < 2 else f"× {value:,.0f}" if value >= 100 else f"× {value:.2g}"
        return f"{value * facts.losses['original'].all:.2e} ({change})"
    if form == "percent":
        return f"{100 * value:.3g} %" if value < 0.1 else f"{100 * value:.1f} %"
    if form == "truth":
        return "yes" if value else "no"
    if form == "count":
        return f"{value:,.0f}"
    return f"{value:.3g}"
