"""The README tells the truth: its example runs, its commands exist, its catalog is the one on disk."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from simulate.cli.app import COMMANDS
from simulate.cli.listing import catalog_titles

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_example_runs_and_ends_with_a_verdict(tmp_path):
    (example,) = blocks("python")
    code = example + "\nassert report.verdict.value == 'agrees', report\nassert best.converged\nfigure.savefig('figure.png')\n"
    environment = {**os.environ, "MPLBACKEND": "Agg", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-W", "error::RuntimeWarning", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr
    assert "generalization_error" in done.stdout
    assert (tmp_path / "figure.png").stat().st_size > 10_000


def test_the_toml_example_is_a_spec(tmp_path):
    from replica.derive import derive
    from replica.spec import Spec

    (example,) = blocks("toml")
    path = tmp_path / "mine.toml"
    path.write_text(example)
    assert derive(Spec.from_toml(path)).order_parameters


@pytest.mark.parametrize("line", re.findall(r"^    replica ([\w-]+)", README, re.MULTILINE))
def test_every_command_shown_exists(line):
    assert line in COMMANDS


def test_the_table_of_the_catalog_is_complete():
    for name in catalog_titles():
        assert f"| `{name}` |" in README, f"README: {name} is missing from the table of the catalog"


def test_the_prior_of_the_contributing_page_works():
    import sympy as sp

    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    space: dict[str, object] = {"__name__": "triangular"}
    exec(example, space)
    prior = space["Triangular"](width=2).bind({})
    w = sp.Symbol("w", real=True)
    assert prior.kind == "triangular"
    assert sp.integrate(prior.density(w), (w, *prior.support())) == 1
