"""Open a trained network and check every claim of the paper: `python -m grok.analyze <run folder> [key=value …]`.

Several run folders or files, or a sweep's: one table, claims down, networks across, and claims.csv.

step=1200 | last | steps=all     which snapshot (last: the last one outside a slingshot); or the whole history
key_frequencies=W_L | [14,35]    a rule by name, or a list
figures=all | none | [names]     pictures
figures.style.formats=[png,pdf]  and their looks, by default as the run's: also .font=sans | serif, .size=8 (points),
                                 .width=column | two_columns, or centimetres
output=<folder>                  where pictures and analysis.json go
verbose=true                     the long table: levels, notes, an untrained network, every loss
threads=1                        CPU threads

checkpoint=<file>                or a file's path instead of a run folder: somebody else's network
data.p data.operation data.train_fraction data.seed    where the file does not tell
split=<file>                     its training pairs
model.tokens='a b =' | '= a b' | 'a b'    model.attention=causal | bidirectional    model.attention_rate=1
model.activation=relu | gelu | tanh | quadratic    how it is read, which no tensor tells
"""

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from rich.console import Console

from grok.analysis.arguments import analysis
from grok.analysis.comparison import analyzed, run_folders, show_comparison
from grok.analysis.contents import contents, warnings_about
from grok.analysis.examination import examination
from grok.analysis.history import history
from grok.analysis.screen import show
from grok.figures.choice import PicturedNetwork, draw
from grok.runs.files import write_text
from grok.settings.commands import run
from grok.settings.pasting import command, from_here, next_commands
from grok.training.machine import keep_memory


def report(arguments: Sequence[str], console: Console | None = None) -> dict[str, Any]:
    """What analysis.json says; it, the history and the pictures are written, the tables shown.

    Of several run folders or files, or of a sweep: {"claims": a row for each network and claim}.
    """
    console = console or Console(width=None if sys.stdout.isatty() else 160)
    paths = [Path(argument) for argument in arguments if "=" not in argument]
    if len(paths) > 1 or any((path / "sweep.json").exists() for path in paths):
        return _compare(paths, [argument for argument in arguments if "=" in argument], console)
    return _examine(arguments, console)


def _compare(paths: Sequence[Path], settings: Sequence[str], console: Console) -> dict[str, Any]:
    given = dict(text.split("=", 1) for text in settings)
    if refused := given.keys() & {"checkpoint", "split"}:
        raise ValueError(f"`{min(refused)}` is for one network. Got {len(paths)} folders, or a sweep.")
    output = given.pop("output", None if len(paths) > 1 else str(paths[0]))
    settings = [f"{name}={value}" for name, value in given.items()]
    quiet, pictures = Console(quiet=True), [] if "figures" in given else ["figures=none"]
    runs = run_folders(paths)
    claims, failed = analyzed(runs, lambda path: _examine([str(path), *pictures, *settings], quiet))
    show_comparison(console, claims, failed)
    if claims.empty:
        raise ValueError(f"None of {len(runs)} networks could be analyzed.")
    if output is None:
        console.print("output=<folder> keeps the table, with every value, as claims.csv")
    else:
        write_text(Path(output) / "claims.csv", claims.to_csv(index=False))
        console.print(f"everything is in {Path(output) / 'claims.csv'}", highlight=False, markup=False, soft_wrap=True)
    if len(paths) == 1:
        _print_next(console, paths[0])
    return {"claims": claims.to_dict("records")}


def _examine(arguments: Sequence[str], console: Console) -> dict[str, Any]:
    began = time.perf_counter()
    keep_memory()
    request = analysis(arguments)
    subject, folder = request.subject, request.folder
    examined = examination(subject, folder, request.rule)
    facts = examined.facts
    with torch.no_grad():
        rows = list(history(folder, facts.key_frequencies)) if folder and request.history else []
    results = contents(subject, folder, request.rule, examined, warnings_about(subject, examined))
    write_text(request.results / "analysis.json", json.dumps(results, indent=1, allow_nan=False) + "\n")
    if rows:
        write_text(request.results / "analysis_history.csv", pd.DataFrame(rows).to_csv(index=False))
    show(console, results, time.perf_counter() - began, request.verbose)
    lines = [f"everything is in {request.results / 'analysis.json'}"]
    if request.figures:
        pictured = PicturedNetwork(subject.name, subject.step, *examined, folder, pd.DataFrame(rows) if rows else None)
        drawn = draw(request.figures, request.pictures, pictured, request.looks)
        lines = [f"{len(drawn)} pictures in {request.pictures}", *lines]
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    if folder:
        _print_next(console, folder.path)
    return results


def _print_next(console: Console, folder: Path) -> None:
    words = next_commands(command("report", from_here(folder)))
    console.print(words, highlight=False, markup=False, soft_wrap=True)


def main() -> None:
    """The command."""
    run(report, __doc__)


if __name__ == "__main__":
    main()
