"""What grok.analyze says: analysis.json, and the tables on the terminal."""

import math
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable

from grok.analysis.arguments import Analysis
from grok.analysis.history import lottery
from grok.claims.facts import NetworkFacts
from grok.claims.judgements import judgements
from grok.measures.evaluation import Evaluation


def contents(request: Analysis, facts: NetworkFacts, evaluation: Evaluation, warning: str | None) -> dict[str, Any]:
    """What analysis.json says."""
    subject, folder = request.subject, request.folder
    has_measurements = folder is not None and folder.metrics.exists()
    report = {
        "name": subject.name,
        "step": -1 if subject.step is None else subject.step,
        "p": facts.p,
        "operation": subject.operation,
        "training_pairs": int(subject.train.sum()),
        "key_frequencies": facts.key_frequencies,
        "key_rule": request.rule,
        "train_accuracy": float(evaluation.train_accuracy),
        "test_accuracy": float(evaluation.test_accuracy),
        "warnings": [warning] if warning else [],
        "claims": judgements(facts),
        "symmetrized_loss": float(evaluation.symmetrized_loss),
        "symmetrized_excluded_loss": float(evaluation.symmetrized_excluded_loss),
        "losses": {name: losses._asdict() for name, losses in facts.losses.items()},
        "frequencies": facts.frequencies,
        "heads": facts.heads,
        "neurons": facts.neurons,
        "lottery": lottery(folder, facts.key_frequencies) if folder is not None and has_measurements else None,
    }
    return {name: finite(value) for name, value in report.items()}


def finite(value: Any) -> Any:
    """The same with null for what is no finite number."""
    if isinstance(value, dict):
        return {str(name): finite(x) for name, x in value.items()}
    if isinstance(value, list | tuple):
        return [finite(x) for x in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def show(console: Console, report: dict[str, Any], seconds: float) -> None:
    """The tables of claims and of losses, the lottery and any warning."""
    console.print(_claims(report))
    console.print(_losses(report))
    verdicts = [row["holds"] for row in report["claims"]]
    held, failed, absent = (verdicts.count(verdict) for verdict in (True, False, None))
    lines = [
        *_lottery(report["lottery"]),
        *(f"Warning: {warning}" for warning in report["warnings"]),
        f"{held} claims hold, {failed} do not, {absent} do not apply ({seconds:.1f} s)",
    ]
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _claims(report: dict[str, Any]) -> RichTable:
    step = "" if report["step"] < 0 else f" at step {report['step']:,}"
    keys = " ".join(map(str, report["key_frequencies"])) or "none"
    claims = RichTable(title=escape(f"{report['name']}{step}: key frequencies {keys}"), title_justify="left")
    for column in ("§", "claim", "the paper", "holds from", "here", "holds"):
        claims.add_column(column)
    for row in report["claims"]:
        verdict = {True: "yes", False: "[bold]no[/]", None: "[dim]does not apply[/]"}[row["holds"]]
        note = f"\n[dim]{escape(row['note'])}[/]" if row["note"] else ""
        words = (row["section"], f"{escape(row['claim'])}{note}", row["paper"], row["criterion"], row["here"])
        claims.add_row(*words, verdict)
    return claims


def _losses(report: dict[str, Any]) -> RichTable:
    losses = RichTable(title="losses \\[nats]", title_justify="left")
    for column in ("", "train", "test", "all"):
        losses.add_column(column, justify="right" if column else "left")
    for name, sides in report["losses"].items():
        losses.add_row(name, *(f"{sides[side]:.3g}" for side in ("train", "test", "all")))
    losses.add_section()
    losses.add_row("key-free, held out (symmetrized)", "", f"{report['symmetrized_loss']:.3g}", "")
    losses.add_row("key-free excluded (symmetrized)", f"{report['symmetrized_excluded_loss']:.3g}", "", "")
    return losses


def _lottery(found: dict[str, dict[str, int]] | None) -> list[str]:
    """When the key frequencies were decided, in a line."""
    if not found or not found["winners"]:
        return []
    winners = ", ".join(f"{k} at {step:,}" for k, step in found["winners"].items())
    losers = ", ".join(f"{k} at {step:,}" for k, step in list(found["losers"].items())[:4])
    return [f"key for good: {winners}" + (f"; the last others dropped: {losers}" if losers else "")]
