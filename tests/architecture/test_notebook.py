"""Notebooks run from their first cell to their last: the tour always, those of the papers with the slow tests."""

from pathlib import Path

import pytest

NOTEBOOKS = [
    pytest.param(path, id=path.stem, marks=() if path.stem == "tour" else pytest.mark.slow)
    for path in sorted((Path(__file__).parents[2] / "notebooks").glob("*.py"))
]


@pytest.mark.parametrize("path", NOTEBOOKS)
def test_notebook_runs_in_fast_mode(path, tmp_path, monkeypatch):
    import jupytext
    from nbclient import NotebookClient

    monkeypatch.setenv("REPLICA_FAST", "1")
    monkeypatch.setenv("MPLBACKEND", "Agg")
    notebook = jupytext.read(path)
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}).execute()
    ran = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert ran and all(cell.execution_count for cell in ran)
