"""Several networks analyzed at once: each claim down, groups of networks across, and how many of them meet it."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Table

from grok.runs.named import folders_in, is_sweep
from grok.sweep.folder import SweepFolder

SEEDS = {"seed", "data.seed", "replicate"}  # networks that differ in these alone are one group
LETTERS = "ABCDEFGHIJKL"  # of the columns on the screen; more groups are shown as one


def run_folders(paths: Sequence[Path]) -> dict[Path, dict[str, Any]]:
    """The folders of runs, each with the settings that its sweep varies; a sweep stands for its points.

    A folder of runs stands for them, and a file of a network for itself. `ValueError` for a sweep without a run, and
    for a folder that is neither.
    """
    found: dict[Path, dict[str, Any]] = {}
    for path in paths:
        if path.is_file():
            found[path] = {}
            continue
        for folder in folders_in(path):
            if not is_sweep(folder):
                found[folder] = {}
                continue
            sweep = SweepFolder(folder)
            points = [point for point in sweep.points() if point.status not in ("pending", "running")]
            if not points:
                raise ValueError(f"A sweep must have runs to analyze. {folder} has none that ended.")
            found |= {sweep.run_folder(point).path: dict(point.settings) for point in points}
    return found


def analyzed(
    runs: Mapping[Path, Mapping[str, Any]], analyze: Callable[[Path], dict[str, Any]]
) -> tuple[pd.DataFrame, dict[Path, str]]:
    """A row for each network and claim, and the networks that could not be analyzed with the reason."""
    rows, failed = [], {}
    for path, settings in runs.items():
        try:
            report = analyze(path)
        except ValueError as error:
            failed[path] = str(error)
            continue
        about = {"run": path.name, "group": _group(settings), "accuracy": report["accuracy"]}
        rows += [
            {
                **about,
                **{name: row[name] for name in ("id", "part", "claim", "value", "here", "holds", "untrained_holds")},
            }
            for row in report["claims"]
        ]
    return pd.DataFrame(rows), failed


def _group(settings: Mapping[str, Any]) -> str:
    named = [f"{name.rpartition('.')[2]}={value}" for name, value in settings.items() if name not in SEEDS]
    return " ".join(named) or "all"


def show_comparison(console: Console, claims: pd.DataFrame, failed: Mapping[Path, str]) -> None:
    """How many networks of each group meet each claim, of those that it applies to."""
    if not claims.empty:
        few = claims["group"].nunique() <= len(LETTERS)
        shown = claims if few else claims.assign(group="all")
        groups = dict(zip(dict.fromkeys(shown["group"]), LETTERS, strict=False))
        number = claims["run"].nunique()
        console.print(f"{number} networks: how many meet each claim, of those that it judges", highlight=False)
        console.print(_table(shown, groups))
        sizes = shown.groupby("group")["run"].nunique()
        for group, letter in groups.items():
            console.print(f"{letter}: {group}, {sizes[group]} networks", highlight=False, markup=False)
    for reason in failed.values():
        console.print(f"left out: {reason}", highlight=False, markup=False, soft_wrap=True)


def _table(claims: pd.DataFrame, groups: Mapping[str, str]) -> Table:
    table = Table()
    table.add_column("claim", no_wrap=True)
    for letter in groups.values():
        table.add_column(letter, justify="right")
    judged = claims[claims["holds"].notna()]
    for name, of_claim in judged.groupby("id", sort=False):
        held, all_of = (of_claim.groupby("group")["holds"].agg(how) for how in ("sum", "size"))
        table.add_row(str(name), *(f"{int(held[g])}/{all_of[g]}" if g in all_of else "–" for g in groups))
    return table
