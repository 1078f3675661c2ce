"""The contract of the command line: exit codes, one-line errors, one JSON object on standard output."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from simulate.cli import main
from simulate.cli.request import axis

ROOT = Path(__file__).parents[2]
EXAMPLE = """\
format = 1
name = "ridge, sign teacher"

[teacher]
prior   = { kind = "gaussian", variance = 1 }
channel = { kind = "sign" }

[student]
protocol    = { kind = "erm" }
loss        = { formula = "(1 - y*z)**2/2" }
regularizer = { kind = "ridge", strength = "lambda" }

[controls]
alpha  = { value = 2.0, domain = "(0, inf)" }
lambda = { value = 0.5, domain = "(0, inf)" }

[run]
sweep = { alpha = "0.5:2:4" }
sizes = [60, 120]
seeds = 8
"""


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(EXAMPLE)
    return path


def refused(capsys, *words, code=2):
    """The one line that refuses these words."""
    assert main([str(word) for word in words]) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    lines = shown.err.splitlines()
    assert len(lines) == 1, shown.err
    assert "Traceback" not in shown.err and "internal fault" not in shown.err
    return lines[0]


def answer(capsys, *words, code=0):
    """The one JSON object these words print."""
    assert main([str(word) for word in words]) == code, capsys.readouterr().err
    shown = capsys.readouterr()
    return json.loads(shown.out, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "COMMAND"),
        (["slove", "logistic_sign"], "did you mean 'solve'?"),
        (["solve"], "SPEC"),
        (["solve", "logistic_sing"], "did you mean 'logistic_sign'?"),
        (["solve", "nowhere/logistic_sign.toml"], "No such file"),
        (["solve", "logistic_sign", "--set", "alhpa=2"], "did you mean 'alpha'?"),
        (["solve", "logistic_sign", "--set", "alpha"], "--set NAME=VALUE"),
        (["solve", "logistic_sign", "--set", "alpha=two"], "'two' is not a number"),
        (["solve", "logistic_sign", "--set", "alpha=nan"], "is not a number"),
        (["solve", "logistic_sign", "--set", "alpha=-1"], "(0, inf)"),
        (["solve", "logistic_sign", "--set", "alpha=0"], "(0, inf)"),
        (["solve", "logistic_sign", "--sweep", "alpha=0.1:2"], "start:stop:count"),
        (["solve", "logistic_sign", "--sweep", "alpha=0.1:2:0"], "from 1"),
        (["solve", "logistic_sign", "--sweep", "alpha=-1:2:5"], "(0, inf)"),
        (["solve", "logistic_sign", "--sweep", "alpha=log:0:2:5"], "positive ends"),
        (["solve", "logistic_sign", "--set", "alpha=1", "--sweep", "alpha=1:2:3"], "fixed by --set"),
        (["solve", "logistic_sign", "--digits", "many"], "--digits"),
        (["solve", "logistic_sign", "--digits", "0"], "--digits"),
        (["solve", "logistic_sign", "--frobnicate"], "--frobnicate"),
        (["simulate", "logistic_sign", "--sizes", "250,many"], "'many' is not a whole number"),
        (["simulate", "logistic_sign", "--device", "tpu"], "cuda"),
        (["list", "priosr"], "did you mean 'priors'?"),
        (["follow", "logistic_sign"], "--along NAME=A:B"),
        (["follow", "logistic_sign", "--along", "alhpa=0.2:6"], "did you mean 'alpha'?"),
        (["follow", "logistic_sign", "--along", "alpha=2:2"], "two different finite ends"),
        (["follow", "logistic_sign", "--along", "alpha=-1:2"], "(0, inf)"),
        (["follow", "logistic_sign", "--along", "alpha=1:2", "--set", "alpha=1"], "already set or followed"),
        (["follow", "logistic_sign", "--along", "alpha=1:2", "--and", "alpha=1:2"], "already set or followed"),
        (["follow", "logistic_sign", "--along", "alpha=1:2", "--and", "lambda=1:2", "--set", "lambda=5"], "is not in it"),
        (["reproduce", "gardner1988"], "no paper"),
        (["plot", "nowhere.nc"], "nowhere.nc"),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, list) else None,
)
def test_mistakes_are_one_line(capsys, words, says):
    assert says in refused(capsys, *words)


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("format = 1", "format = 7", "format"),
        ("format = 1", "format = 1\nfrmat = 2", "frmat"),
        ("name = ", "name = = ", "mine.toml"),
        ('kind = "sign"', 'kind = "sgin"', "did you mean 'sign'"),
        ('strength = "lambda"', 'strength = "lamda"', "did you mean 'lambda'"),
        ("(1 - y*z)**2/2", "__import__('os').system('true')", "loss"),
        ("(1 - y*z)**2/2", "(1 - y*z)^2/2", "**"),
        ("value = 0.5", "value = -0.5", "(0, inf)"),
        ('{ kind = "gaussian", variance = 1 }', '{ kind = "gaussian", sigma = 1 }', "sigma"),
        ('protocol    = { kind = "erm" }', 'protocol    = { kind = "bayes" }', "loss"),
        ("[run]", "[ruin]", "ruin"),
    ],
)
def test_a_wrong_spec_is_one_line_that_names_the_file(capsys, spec, before, after, says):
    assert before in EXAMPLE
    spec.write_text(EXAMPLE.replace(before, after))
    line = refused(capsys, "check", spec)
    assert "mine.toml" in line and says in line


def test_binary_rubbish_is_one_line(capsys, spec):
    spec.write_bytes(bytes(range(256)))
    assert "mine.toml" in refused(capsys, "check", spec)


def test_check_prints_family_and_conventions(capsys, spec):
    assert main(["check", str(spec)]) == 0
    shown = capsys.readouterr().out
    for phrase in ("student", "static (replica tree): rs", "z = w.x/sqrt(d)", "alpha = samples/d", "lambda*w**2/2"):
        assert phrase in shown


def test_expanded_spec_is_the_same_model(capsys, spec, tmp_path):
    first = answer(capsys, "check", spec, "--json")
    assert main(["check", str(spec), "--expand"]) == 0
    (tmp_path / "long.toml").write_text(capsys.readouterr().out)
    assert answer(capsys, "check", tmp_path / "long.toml", "--json")["fingerprint"] == first["fingerprint"]


def test_solve_json_has_every_key_of_the_interface(capsys, spec):
    found = answer(capsys, "solve", spec, "--set", "alpha=1.5", "lambda=1", "--json")
    assert set(found) >= {"name", "fingerprint", "points"}
    (point,) = found["points"]
    assert point["at"] == {"alpha": 1.5, "lambda": 1.0}
    best = point["solutions"][0]
    assert best["status"] == "converged"
    assert set(best["order_parameters"]) == {"m", "q", "chi"} and set(best["conjugates"]) == {"m_hat", "q_hat", "chi_hat"}
    assert best["residual"] < 1e-11 and best["quadrature_error"] < 1e-9
    # the square loss is solved by hand: m = q_hat-free ratio, so the error is arccos(m/sqrt(q))/pi
    q, m = best["order_parameters"]["q"], best["order_parameters"]["m"]
    assert best["observables"]["generalization_error"] == pytest.approx(math.acos(m / math.sqrt(q)) / math.pi, abs=1e-12)


def test_sweep_takes_the_plan_of_the_spec(capsys, spec):
    found = answer(capsys, "solve", spec, "--sweep", "alpha", "--json")
    assert [point["at"]["alpha"] for point in found["points"]] == [0.5, 1.0, 1.5, 2.0]


def test_sweep_is_written_and_plotted(capsys, spec, tmp_path):
    result, figure = tmp_path / "out.nc", tmp_path / "figure.png"
    assert main(["solve", str(spec), "--sweep", "alpha=0.5,1,2", "-o", str(result)]) == 0
    assert main(["plot", str(result), "-o", str(figure)]) == 0
    assert figure.stat().st_size > 10_000
    capsys.readouterr()
    result.write_bytes(result.read_bytes()[:-200])  # a truncated file is named and refused
    assert "out.nc" in refused(capsys, "plot", result, "-o", figure)


def test_many_digits_are_strings(capsys):
    found = answer(capsys, "solve", "bayes_sign", "--set", "alpha=1.5", "--digits", "30", "--json")
    q = found["points"][0]["solutions"][0]["order_parameters"]["q"]
    assert isinstance(q, str) and len(q.lstrip("-0.").replace(".", "")) >= 29


def test_validate_json(capsys, spec):
    assert (code := main(["validate", str(spec), "--json"])) in (0, 1)
    found = json.loads(capsys.readouterr().out)
    assert found["verdict"] in {"agrees", "disagrees", "inconclusive"}
    assert code == (1 if found["verdict"] == "disagrees" else 0)
    for row in found["points"][0]["observables"].values():
        assert set(row) >= {"theory", "simulation", "stderr", "z"}


@pytest.mark.parametrize(
    ("text", "points"),
    [("0:1:3", [0, 0.5, 1]), ("log:1:100:3", [1, 10, 100]), ("1,2,5", [1, 2, 5]), ("[1, 2]", [1, 2]), ("2", [2]), ("1:1:1", [1])],
)
def test_axis(text, points):
    assert axis(text, "") == pytest.approx(points)


def test_output_in_a_pipe_has_no_progress_bar_and_no_color(spec):
    done = subprocess.run(
        [sys.executable, "-c", "import sys; from simulate.cli import main; sys.exit(main())", "solve", str(spec)],
        capture_output=True, text=True, cwd=ROOT, env={**os.environ, "FORCE_COLOR": ""},
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == "" and "\x1b" not in done.stdout and "generalization_error" in done.stdout


def test_a_result_that_cannot_be_written_is_one_line(capsys, tmp_path):
    assert "nowhere" in refused(capsys, "solve", "bayes_sign", "--sweep", "alpha=1,2", "-o", tmp_path / "nowhere" / "out.nc")


def test_a_file_that_is_no_result_is_one_line(capsys, tmp_path):
    (tmp_path / "out.nc").write_text("not a result")
    assert "out.nc" in refused(capsys, "plot", tmp_path / "out.nc")


def test_interruption_keeps_finished_points_and_goes_on(capsys, tmp_path, monkeypatch):
    from simulate.cli import grid

    result, told = tmp_path / "out.nc", []

    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(grid, "certify", interrupted)  # the sweep is done by then, its digits are not
        words = ["solve", "bayes_sign", "--sweep", "alpha=1,2", "--digits", "20", "-o", str(result)]
        assert main(words) == 130
    line = capsys.readouterr().err
    assert "out.nc.journal" in line and len(line.splitlines()) == 1
    journal = tmp_path / "out.nc.journal"
    assert journal.exists() and not result.exists()
    monkeypatch.setattr(grid, "sweep", lambda *a, real=grid.sweep, **o: told.append(o["journal"]) or real(*a, **o))
    assert main(words) == 0
    assert told == [journal] and result.exists() and not journal.exists()
