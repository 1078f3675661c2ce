"""One-pass models without gradient or moments, and those that no data can have: one line from the command line, exit code 1 or 2."""

import pytest

from simulate.cli import main

SPEC = """format = 1
name = "to be spoiled"
[teacher]
prior = "gaussian"
channel = { kind = "linear", variance = 0.1 }
[data]
variance = "D"
[student]
protocol = { kind = "online_sgd", rate = "eta" }
loss = "square"
network = { kind = "committee", units = 2, activation = "erf" }
[[stage]]
name = "first"
time = "T"
[[stage]]
name = "second"
time = 2
[controls]
eta = { value = 0.2, domain = "(0, inf)" }
D = { value = 0.5, domain = "[-1, 1]" }
T = { value = 1, domain = "[-1, 5]" }
[run]
times = "1:2:2"
"""


def spoiled(old: str, new: str) -> str:
    assert old in SPEC
    return SPEC.replace(old, new)


@pytest.mark.parametrize(
    ("text", "options", "sentence"),
    [
        (spoiled('"erf"', '"sign"'), (), "too rough for this theory"),
        (spoiled('"erf"', '{ formula = "1/z" }'), (), "the square of the activation 1/x has no mean, it grows without bound at a point"),
        (spoiled('"erf"', '{ formula = "sqrt(abs(z))" }'), (), "the square of the slope of the activation"),
        (spoiled('"erf"', '{ formula = "exp(z**2)" }'), (), "it grows as the exponential of a square"),
        (spoiled('"square"', '{ formula = "heaviside(y - z)" }'), (), "jumps, and the gradient that steps follow does not see it"),
        (spoiled('"square"', '{ formula = "log((y - z)**2)" }'), (), "the squared slope of 'formula' has no mean"),
        (spoiled('{ kind = "linear", variance = 0.1 }', '{ map = "z + 1/xi" }'), (), "channel 'map': the squared slope of the loss"),
        (spoiled("variance = 0.1", "variance = -0.1"), (), "variance must lie in [0, inf), got variance=-0.1"),
        (SPEC, ("--set", "D=-0.5"), "data.variance: D = -0.5 lies outside the domain [0, inf)"),
        (SPEC, ("--set", "T=0"), "stage[1].time: T = 0 lies outside the domain (0, inf]"),
        (spoiled("time = 2", "time = 0"), (), "stage[2].time: 0 lies outside the domain (0, inf]"),
    ],
)
def test_one_clear_line(text, options, sentence, tmp_path, capsys):
    file = tmp_path / "bad.toml"
    file.write_text(text)
    assert main(["solve", str(file), *options]) in (1, 2)
    said = capsys.readouterr()
    assert sentence in said.err and said.err.count("\n") == 1 and not said.out


def test_a_rate_too_large_is_a_status_with_time_and_last_state(tmp_path, capsys):
    file = tmp_path / "diverges.toml"
    file.write_text(spoiled('"erf"', '"quadratic"'))
    assert main(["solve", str(file), "--set", "eta=5"]) == 1
    said = capsys.readouterr()
    assert "the trajectory diverges; the last good state and its time are kept, try a smaller learning rate (alpha = 0." in said.out
    assert "Q = [" in said.out and not said.err
