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
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from omegaconf import OmegaConf
from rich.console import Console
from rich.table import Table as RichTable

from grok.analysis_history import history, lottery, training_values
from grok.checks import whole
from grok.claims.findings import Findings, findings
from grok.claims.judgements import judgements
from grok.machine import keep_memory
from grok.pictures import Sitter, chosen, draw
from grok.run_folder import RunFolder, replace_text
from grok.settings import run, settings
from grok.subject import DISAGREES, Subject, of_file, of_run, step_named
from grok.table import RULES, Table

KNOWN: dict[str, Any] = {
    "step": "last",
    "steps": None,
    "key_frequencies": None,
    "figures": "all",
    "output": None,
    "threads": None,
    "checkpoint": None,
    "split": None,
    "data.p": None,
    "data.operation": None,
    "data.train_fraction": None,
    "data.seed": None,
    "model.activation": None,
}


@dataclass(frozen=True)
class Analysis:
    """What the command was asked for."""

    subject: Subject
    folder: RunFolder | None
    results: Path  # of analysis.json
    pictures: Path
    rule: str | list[int]
    figures: list[str]
    history: bool


def analysis(arguments: Sequence[str]) -> Analysis:
    """The command's arguments, checked; `ValueError` in one sentence."""
    path, told = settings(arguments, KNOWN)
    if (path is None) == (told["checkpoint"] is None):
        raise ValueError("usage: python -m grok.analyze <run folder> or checkpoint=<file>, and settings as key=value")
    if told["steps"] not in (None, "all") or (told["steps"] and told["step"] != "last"):
        raise ValueError(f"`steps` must be all, and `step` is for one of them. Got {told['steps']!r}.")
    figures, rule_told = chosen(told["figures"]), _rule(told["key_frequencies"])
    if told["threads"] is not None:
        whole("threads", told["threads"], 1)
        torch.set_num_threads(told["threads"])
    if path is None:
        file = Path(told["checkpoint"])
        if told["steps"]:
            raise ValueError("`steps=all` needs a run folder. A checkpoint is one network.")
        subject, folder = of_file(file, told), None
        rule: str | list[int] = "W_L"
        results = Path(told["output"] or file.with_name(f"{file.stem}_analysis"))
        pictures = results
    else:
        only_files = [name for name in KNOWN if name.startswith(("data.", "model.")) or name == "split"]
        if given := [name for name in only_files if told[name] is not None]:
            raise ValueError(f"`{given[0]}` is for checkpoint=<file>. A run folder tells its own.")
        folder = RunFolder(path)
        subject = of_run(folder, step_named(folder, told["step"]))
        rule = _rule_of(folder)
        results = Path(told["output"] or path)
        pictures = results if told["output"] else path / "analysis"
    return Analysis(
        subject, folder, results, pictures, rule if rule_told is None else rule_told, figures, told["steps"] == "all"
    )


def _rule_of(folder: RunFolder) -> str | list[int]:
    found = OmegaConf.load(folder.config).key_frequencies
    return found if isinstance(found, str) else [int(k) for k in found]


def _rule(told: Any) -> str | list[int] | None:
    if told is None or told in RULES or (isinstance(told, list) and all(isinstance(k, int) for k in told)):
        return told  # type: ignore[no-any-return]
    raise ValueError(f"`key_frequencies` must be one of {', '.join(RULES)}, or a list such as [14,35]. Got {told!r}.")


def analyse(arguments: Sequence[str], console: Console | None = None) -> dict[str, Any]:
    """Everything: the table, analysis.json, the pictures; what analysis.json says."""
    began = time.perf_counter()
    keep_memory()
    asked = analysis(arguments)
    console = console or Console(soft_wrap=False)
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
    for column, kind in (("claim", {"ratio": 4}), ("paper", {}), ("here", {}), ("holds", {})):
        claims.add_column(column, **kind)  # type: ignore[arg-type]
    for row in report["claims"]:
        verdict = {True: "yes", False: "[bold]no[/]", None: "[dim]does not apply[/]"}[row["holds"]]
        note = f"\n[dim]{row['note']}[/]" if row["note"] else ""
        claims.add_row(f"[dim]{row['section']}[/] {row['claim']}{note}", row["paper"], row["here"], verdict)
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
