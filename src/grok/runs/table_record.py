"""What a checkpoint keeps of the tables of its run, so that rows which changed since are noticed."""

import hashlib
from collections.abc import Mapping
from typing import Any

import pandas as pd

from grok.runs.damage import DamagedFileError
from grok.runs.folder import RunFolder


def record_of_tables(folder: RunFolder) -> dict[str, dict[str, Any]]:
    """Of each table its columns, its last step, and SHA-256 of its values."""
    record = {}
    for file in (folder.metrics, folder.spectra):
        table = folder.read(file) if file.exists() else pd.DataFrame()
        if len(table):
            columns, last = [str(name) for name in table], int(table["step"].max())
            record[file.name] = {"columns": columns, "last": last, "sha256": _digest(table, columns, last)}
    return record


def refuse_changed_tables(folder: RunFolder, record: Mapping[str, Mapping[str, Any]]) -> None:
    """`DamagedFileError` where the rows of a checkpoint's record are other than they were."""
    for name, kept in record.items():
        file = folder.path / name
        table = folder.read(file)
        if not {*kept["columns"]} <= {*table} or _digest(table, kept["columns"], kept["last"]) != kept["sha256"]:
            raise DamagedFileError(
                file,
                f"was edited or damaged: up to step {kept['last']} it is not what was measured; take it from a copy",
            )


def _digest(table: pd.DataFrame, columns: list[str], last: int) -> str:
    """A column that comes later rewrites a table: so of its values, not of its bytes."""
    rows = table.loc[pd.to_numeric(table["step"], errors="coerce") <= last, columns]
    numbers = rows.select_dtypes("number").columns
    return hashlib.sha256(rows.astype(dict.fromkeys(numbers, float)).to_csv(index=False).encode()).hexdigest()
