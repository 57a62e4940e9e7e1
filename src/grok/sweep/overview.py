"""The table of a sweep as it is printed."""

from collections.abc import Sequence

import pandas as pd
from rich.markup import escape
from rich.table import Table

from grok.runs.censoring import event_time


def printed_table(table: pd.DataFrame, varying: Sequence[str]) -> Table:
    """The table as it is printed: a row a run."""
    names = [name for name in (*varying, "seed") if name in table]
    printed = Table(*names, "status", "regime", "fitted", "clean-up", "generalized", "delay", "keys", "test accuracy")
    for _, row in table.iterrows():
        cleanup, generalized = (_step(row, event) for event in ("cleanup_start", "generalized"))
        accuracy = row.get("accuracy/test")
        printed.add_row(
            *(str(row[name]) for name in names),
            escape(f"{row['status']}" + (f": {row['reason']}" if isinstance(row["reason"], str) else "")),
            row["regime"] if isinstance(row["regime"], str) else "",
            _step(row, "fitted"),
            cleanup,
            generalized,
            f"{row['delay']:.1f}" if pd.notna(row["delay"]) else "",
            row["key_frequencies"] if isinstance(row["key_frequencies"], str) else "",
            f"{accuracy:.1%}" if pd.notna(accuracy) else "",
        )
    return printed


def _step(row: "pd.Series[float]", event: str) -> str:
    time = event_time(row, event)
    return "" if time is None else str(time)
