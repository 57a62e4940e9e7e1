"""Open a trained network and check every claim of the paper: `python -m grok.analyze <run folder> [key=value …]`.

step=1200 | last | steps=all     which snapshot (last: the last one outside a slingshot); or the whole history
key_frequencies=W_L | [14,35]    a rule by name, or a list
figures=all | none | [names]     pictures, PNG and PDF
output=<folder>                  where pictures and analysis.json go
threads=1                        CPU threads

checkpoint=<file>                instead of a run folder: a network in the authors' layout or TransformerLens'
data.p data.operation data.train_fraction data.seed model.activation    where the file does not tell
split=<file>                     its training pairs
"""

import json
import sys
import time
from collections.abc import Sequence
from typing import Any

import pandas as pd
import torch
from rich.console import Console

from grok.analysis.arguments import analysis
from grok.analysis.contents import contents, show
from grok.analysis.examination import examination
from grok.analysis.history import history
from grok.figures.choice import PicturedNetwork, draw
from grok.networks.subject import DISAGREES, Subject
from grok.runs.files import write_text
from grok.settings.commands import run
from grok.training.machine import keep_memory


def report(arguments: Sequence[str], console: Console | None = None) -> dict[str, Any]:
    """What analysis.json says; it, the history and the pictures are written, the tables shown."""
    began = time.perf_counter()
    keep_memory()
    request = analysis(arguments)
    console = console or Console(width=None if sys.stdout.isatty() else 160)
    subject, folder = request.subject, request.folder
    table, network, facts = examination(subject, folder, request.rule)
    warning = _disagreement(subject, float(table.train_loss))
    with torch.no_grad():
        rows = list(history(folder, facts.key_frequencies)) if folder and request.history else []
    results = contents(request, facts, table, warning)
    write_text(request.results / "analysis.json", json.dumps(results, indent=1, allow_nan=False) + "\n")
    if rows:
        write_text(request.results / "analysis_history.csv", pd.DataFrame(rows).to_csv(index=False))
    show(console, results, time.perf_counter() - began)
    lines = [f"everything is in {request.results / 'analysis.json'}"]
    if request.figures:
        pictured = PicturedNetwork(
            subject.name, subject.step, table, network, facts, folder, pd.DataFrame(rows) if rows else None
        )
        lines = [f"{len(draw(request.figures, request.pictures, pictured))} pictures in {request.pictures}", *lines]
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    return results


def _disagreement(subject: Subject, train_loss: float) -> str | None:
    stored = subject.stored_train_loss
    if stored is None or abs(train_loss - stored) <= DISAGREES * abs(stored):
        return None
    return (
        f"The recomputed train loss is {train_loss:.3e}, the stored one {stored:.3e}: the training pairs are"
        " probably others (data.seed, data.train_fraction, split)."
    )


def main() -> None:
    """The command."""
    run(report, __doc__)


if __name__ == "__main__":
    main()
