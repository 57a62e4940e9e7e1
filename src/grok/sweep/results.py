"""What a sweep leaves behind: runs.csv and pictures of it."""

import importlib
from pathlib import Path

import pandas as pd

from grok.runs.files import write_text
from grok.settings.figure_style import FigureStyle
from grok.sweep.table import swept


def write_results(
    path: Path, table: pd.DataFrame, axes: dict[str, str | None] | None, looks: FigureStyle
) -> list[Path]:
    """Write runs.csv and, given their axes, the pictures in a style, into the sweep's folder; the files."""
    write_text(path / "runs.csv", table.to_csv(index=False))
    if axes is None:
        return [path / "runs.csv"]
    figures = importlib.import_module("grok.figures.sweep")  # matplotlib, a slow import, is of use here alone
    return [path / "runs.csv", *figures.draw_sweep(path, table, swept(table), **axes, looks=looks)]
