"""The tour runs from top to bottom, and is committed without outputs."""

from pathlib import Path

import nbformat
import pytest
from house import ROOT
from nbclient import NotebookClient

TOUR = ROOT / "docs/tour.ipynb"


@pytest.mark.filterwarnings("ignore::DeprecationWarning:(jupyter_client|zmq|nbclient)")
def test_the_tour_runs_and_shows_its_figures(tmp_path: Path) -> None:
    notebook = nbformat.read(TOUR, as_version=4)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = {cell.id: cell.outputs for cell in notebook.cells if cell.cell_type == "code"}
    for figure in ("progress", "norms"):
        assert any("image/png" in output.get("data", {}) for output in shown[figure])
    assert any("text/html" in output.get("data", {}) for output in shown["claim-table"])


def test_the_tour_is_committed_without_outputs() -> None:
    notebook = nbformat.read(TOUR, as_version=4)
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert cells
    assert all(cell.outputs == [] and cell.execution_count is None for cell in cells)
