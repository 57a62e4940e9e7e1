"""Each claim judged by what was found in a network, in the words of the table and of analysis.json."""

import math
from collections.abc import Mapping
from typing import Any

from grok.claims.criteria import CLAIMS, Claim
from grok.claims.findings import Findings


def judgement(claim: Claim, found: Findings) -> dict[str, Any]:
    """One claim judged: what analysis.json says of it."""
    value = found.values.get(claim.finding)
    if value is not None and not math.isfinite(value):
        value = None
    row = {"claim": claim.claim, "section": claim.section, "paper": claim.paper, "criterion": claim.criterion}
    if value is None:
        unmet = [found.unmet[need] for need in claim.needs.split() if need in found.unmet]
        reason = unmet[0] if unmet else "there is nothing to measure it on"
        return {**row, "here": "-", "value": None, "holds": None, "note": f"does not apply: {reason}"}
    note = found.notes.get(claim.finding, "")
    return {**row, "here": _written(claim, value, found), "value": value, "holds": claim.holds(value), "note": note}


def judgements(found: Findings) -> list[dict[str, Any]]:
    """Every claim judged, in order."""
    return [judgement(claim, found) for claim in CLAIMS]


def _written(claim: Claim, value: float, found: Findings) -> str:
    if claim.form == "ratio":
        original: Mapping[str, float] = found.losses["original"]._asdict()
        change = f"{100 * (value - 1):+.0f} %" if value < 2 else f"× {value:,.0f}" if value >= 100 else f"× {value:.2g}"
        return f"{value * original['all']:.2e} ({change})"
    if claim.form == "percent":
        return f"{100 * value:.3g} %" if value < 0.1 else f"{100 * value:.1f} %"
    if claim.form == "truth":
        return "yes" if value else "no"
    if claim.form == "count":
        return f"{value:,.0f}"
    return f"{value:.3g}"
