"""What grok.analyze prints: the result in few lines, failures first; every number with `verbose=true`."""

from collections.abc import Iterable
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from grok.analysis.groups import lines

VERDICTS = {True: "yes", False: "[bold]no[/]", None: "[dim]–[/]"}
WIDTH = 80  # columns of the short table


def show(console: Console, report: dict[str, Any], seconds: float, verbose: bool = False) -> None:
    """Accuracy, how many claims hold, the claims; with `verbose` levels, notes and losses too."""
    for line in (
        *headline(report),
        *lines(report["group"]),
        *(f"Warning: {warning}" for warning in report["warnings"]),
    ):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    console.print(_every_claim(report) if verbose else _claims(report))
    if verbose:
        console.print(_losses(report))
    for line in (*_lottery(report["lottery"]), *_ending(report, seconds, verbose)):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def headline(report: dict[str, Any]) -> list[str]:
    """What the network is, how well it answers, and how many of the paper's claims hold."""
    step = "" if report["step"] < 0 else f" at step {report['step']:,}"
    keys = " ".join(map(str, report["key_frequencies"])) or "none"
    unseen = report["unseen_accuracy"]
    beside = "" if unseen is None else f", {unseen:.1%} of the unseen ones"
    rows = report["claims"]
    held, judged = _held(row["holds"] for row in rows)
    held_untrained, judged_untrained = _held(row["untrained_holds"] for row in rows)
    numbers = sum(row["holds"] is None and row["value"] is not None for row in rows)
    return [
        f"{report['name']}{step}: {report['task']}, key frequencies {keys}",
        f"answers {report['accuracy']:.1%} of all pairs{beside}; loss {report['loss']:.3g}",
        f"{held} of {judged} claims hold (of an untrained network {held_untrained} of {judged_untrained});"
        f" not applicable: {len(rows) - judged - numbers}; numbers without a verdict: {numbers}",
    ]


def _held(verdicts: Iterable[bool | None]) -> tuple[int, int]:
    judged = [verdict for verdict in verdicts if verdict is not None]
    return sum(judged), len(judged)


def _claims(report: dict[str, Any]) -> Table:
    """How many claims hold in each part of the network, and those that do not."""
    table = Table(box=SIMPLE_HEAD, width=WIDTH, pad_edge=False)
    table.add_column("part of the network", ratio=1)
    for column in ("the paper", "here"):
        table.add_column(column, max_width=18)
    for part in dict.fromkeys(row["part"] for row in report["claims"]):
        rows = [row for row in report["claims"] if row["part"] == part]
        held, judged = _held(row["holds"] for row in rows)
        table.add_row(f"[bold]{part}[/]: {held} of {judged} hold" if judged else f"[dim]{part}: nothing is judged[/]")
        for row in rows:
            if row["holds"] is False:
                table.add_row(f"  [bold]not[/] {escape(row['claim'])}", row["paper"], row["here"])
            if row["holds"] and row["untrained_holds"]:
                table.add_row(f"  [dim]an untrained one meets it too: {escape(row['claim'])}[/]", "", row["here"])
    return table


def _every_claim(report: dict[str, Any]) -> Table:
    table = Table(title_justify="left")
    for column in ("§", "claim", "the paper", "untrained", "holds from", "here", "holds"):
        table.add_column(column)
    for row in report["claims"]:
        note = f"\n[dim]{escape(row['note'])}[/]" if row["note"] else ""
        words = (row["section"], f"{escape(row['claim'])}{note}", row["paper"], row["untrained_here"])
        table.add_row(*words, row["criterion"], row["here"], VERDICTS[row["holds"]])
    return table


def _losses(report: dict[str, Any]) -> Table:
    losses = Table(title="losses \\[nats]", title_justify="left")
    for column in ("", "train", "test", "all"):
        losses.add_column(column, justify="right" if column else "left")
    for name, sides in report["losses"].items():
        losses.add_row(name, *(_number(sides[side]) for side in ("train", "test", "all")))
    losses.add_section()
    losses.add_row("key-free, on unseen pairs (symmetrized)", "", _number(report["symmetrized_loss"]), "")
    losses.add_row("key-free excluded (symmetrized)", _number(report["symmetrized_excluded_loss"]), "", "")
    return losses


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


def _lottery(found: dict[str, dict[str, int]] | None) -> list[str]:
    """When the key frequencies were decided, in a line."""
    if not found or not found["winners"]:
        return []
    winners = ", ".join(f"{k} at {step:,}" for k, step in found["winners"].items())
    losers = ", ".join(f"{k} at {step:,}" for k, step in list(found["losers"].items())[:4])
    return [f"key for good: {winners}" + (f"; the last others dropped: {losers}" if losers else "")]


def _ending(report: dict[str, Any], seconds: float, verbose: bool) -> list[str]:
    """Why claims do not apply, and how to see more."""
    reasons = dict.fromkeys(row["note"] for row in report["claims"] if row["value"] is None)
    words = "; ".join(reason.removeprefix("does not apply: ") for reason in reasons)
    lines = [f"not judged: {words}"] if reasons else []
    if not verbose:
        lines.append("verbose=true lists every claim with its level, what an untrained network has, and all losses")
    return [*lines, f"({seconds:.1f} s)"]
