"""Open a trained network and check every claim of the paper: `python -m grok.analyze <run folder> [key=value …]`.

step=1200 | last | steps=all     which snapshot (last: the last one outside a slingshot); or the whole history
key_frequencies=W_L | [14,35]    a rule of grok.table, or a list
figures=all | none | [names]     pictures, PNG and PDF
output=<folder>                  where pictures and analysis.json go

checkpoint=<file>                instead of a run folder: a network in the authors' layout or TransformerLens'
data.p data.operation data.train_fraction data.seed model.activation    where the file does not tell
split=<file>                     its training questions
"""

import json
import math
import sys
import time
from collections.abc import Sequence
from typing import Any

import pandas as pd
import torch
from rich.console import Console
from rich.table import Table as RichTable

from grok.analysis import Analysis, analysis
from grok.analysis_history import history, lottery, training_values
from grok.claims.findings import Findings, findings
from grok.claims.judgements import judgements
from grok.machine import keep_memory
from grok.pictures import Sitter, draw
from grok.run_folder import replace_text
from grok.settings import run
from grok.subject import DISAGREES, Subject
from grok.table import Table


def analyse(arguments: Sequence[str], console: Console | None = None) -> dict[str, Any]:
    """Everything: the table, analysis.json, the pictures; what analysis.json says."""
    began = time.perf_counter()
    keep_memory()
    asked = analysis(arguments)
    console = console or Console(width=None if sys.stdout.isatty() else 160)
    subject, folder = asked.subject, asked.folder
    with torch.no_grad():
        table, network, bias = subject.opened()
        warning = _disagreement(subject, float(table.train_loss))
        found = findings(table, network, bias, asked.rule)
        if folder is not None:
            values, notes, found.unmet["training"] = training_values(folder)
            found.values.update(values)
            found.notes.update(notes)
        rows = list(history(folder, found.key_frequencies)) if folder and asked.history else []
    report = _report(asked, found, table, warning)
    if rows and asked.results:
        asked.results.mkdir(parents=True, exist_ok=True)
        replace_text(asked.results / "analysis_history.csv", pd.DataFrame(rows).to_csv(index=False))
    text = json.dumps(_finite(report), indent=1, allow_nan=False)
    replace_text(asked.results / "analysis.json", text + "\n")
    show(console, report, time.perf_counter() - began)
    if asked.figures:
        sitter = Sitter(subject.name, subject.step, table, network, found, folder, pd.DataFrame(rows) if rows else None)
        drawn = draw(asked.figures, asked.pictures, sitter)
        console.print(f"{len(drawn)} pictures in {asked.pictures}", highlight=False, soft_wrap=True)
    console.print(f"everything is in {asked.results / 'analysis.json'}", highlight=False, soft_wrap=True)
    return report


def _disagreement(subject: Subject, train_loss: float) -> str | None:
    told = subject.told_train_loss
    if told is None or abs(train_loss - told) <= DISAGREES * abs(told):
        return None
    return (
        f"The recomputed train loss is {train_loss:.3e}, the stored one {told:.3e}: the training questions are"
        " probably others (data.seed, data.train_fraction, split)."
    )


def _report(asked: Analysis, found: Findings, table: Table, warning: str | None) -> dict[str, Any]:
    key_free = float(table.symmetrized_loss), float(table.symmetrized_excluded_loss)
    subject = asked.subject
    return {
        "name": subject.name,
        "step": -1 if subject.step is None else subject.step,
        "p": found.p,
        "operation": subject.operation,
        "training_questions": int(subject.train.sum()),
        "key_frequencies": found.key_frequencies,
        "key_rule": asked.rule,
        "train_accuracy": float(table.train_accuracy),
        "test_accuracy": float(table.test_accuracy),
        "warnings": [warning] if warning else [],
        "claims": judgements(found),
        "symmetrized_loss": key_free[0],
        "symmetrized_excluded_loss": key_free[1],
        "losses": {name: losses._asdict() for name, losses in found.losses.items()},
        "frequencies": found.frequencies,
        "heads": found.heads,
        "neurons": found.neurons,
        "lottery": lottery(asked.folder, found.key_frequencies)
        if asked.folder and asked.folder.metrics.exists()
        else None,
    }


def _finite(value: Any) -> Any:
    """The same with null for what is no finite number."""
    if isinstance(value, dict):
        return {str(name): _finite(x) for name, x in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(x) for x in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _title(report: dict[str, Any]) -> str:
    return str(report["name"]) + ("" if report["step"] < 0 else f" at step {report['step']:,}")


def show(console: Console, report: dict[str, Any], seconds: float) -> None:
    """The table of claims, and the losses of all ablations."""
    keys = " ".join(map(str, report["key_frequencies"])) or "none"
    claims = RichTable(title=f"{_title(report)}: key frequencies {keys}", title_justify="left")
    for column in ("§", "claim", "the paper", "holds from", "here", "holds"):
        claims.add_column(column)
    for row in report["claims"]:
        verdict = {True: "yes", False: "[bold]no[/]", None: "[dim]does not apply[/]"}[row["holds"]]
        note = f"\n[dim]{row['note']}[/]" if row["note"] else ""
        words = (row["section"], f"{row['claim']}{note}", row["paper"], row["criterion"], row["here"])
        claims.add_row(*words, verdict)
    console.print(claims)
    losses = RichTable(title="losses [nats]", title_justify="left")
    for column in ("", "train", "test", "all"):
        losses.add_column(column, justify="left" if not column else "right")
    for name, sides in report["losses"].items():
        losses.add_row(name, *(f"{sides[side]:.3g}" for side in ("train", "test", "all")))
    losses.add_section()
    losses.add_row("key-free, held out (symmetrized)", "", f"{report['symmetrized_loss']:.3g}", "")
    losses.add_row("key-free excluded (symmetrized)", f"{report['symmetrized_excluded_loss']:.3g}", "", "")
    console.print(losses)
    for warning in report["warnings"]:
        console.print(f"Warning: {warning}", soft_wrap=True)
    held = [row["holds"] for row in report["claims"]]
    console.print(
        f"{held.count(True)} claims hold, {held.count(False)} do not, {held.count(None)} do not apply"
        f" ({seconds:.1f} s)",
        highlight=False,
    )


def main() -> None:
    run(lambda arguments: void(analyse(arguments)))


def void(_: Any) -> None:
    """Nothing, of whatever a command returned."""


if __name__ == "__main__":
    main()
