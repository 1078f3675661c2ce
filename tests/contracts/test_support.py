"""What slow flows promise: generic equations, and one line for what cannot be derived."""

import math

import pytest
import sympy as sp

from replica.derive import Underivable, derive
from replica.families.slow.story import imbalance
from replica.spec import Spec, load
from replica.theory import Flow

TEXT = load("support_linear").to_toml()


def test_the_law_derives_and_prints():
    theory = derive(load("support_linear"))
    assert isinstance(theory.system, Flow) and str(theory.system.time) == "n"
    assert [one.name for one in theory.assumptions] == ["small_step"]
    text, document = theory.text(steps=True), theory.latex(steps=True)
    assert "dQ[b, k, l]/dn" in text and "Dummy" not in text
    assert document.count("{") == document.count("}")
    assert {step.assumption for step in theory.trail if step.assumption} == set(theory.assumptions)


def test_the_identity_is_exact():
    eta, s, square = sp.Symbol("eta", nonnegative=True), sp.Symbol("s", real=True), sp.Symbol("x_x", real=True)
    x_k, x_l, v_k, v_l = sp.symbols("X_k X_l v_k v_l", real=True)
    assert sp.expand(imbalance() - eta**2 * s**2 * (square * v_k * v_l - x_k * x_l)) == 0


def test_equations_do_not_grow_with_the_width():
    small, large = (derive(Spec.from_toml(TEXT.replace("widths = [15]", f"widths = [{h}]"))).system for h in (2, 40))
    assert [str(d.value) for d in (*small.program, *small.equations)] == [str(d.value) for d in (*large.program, *large.equations)]


def test_finite_sets_of_samples_are_assumed_large():
    text = TEXT.replace("value = inf", "value = 100").replace('steps = "steps"', 'steps = "steps", replace = false')
    assert math.isinf(next(c.value for c in derive(load("support_linear")).controls if c.name == "alpha"))
    assert [one.name for one in derive(Spec.from_toml(text)).assumptions] == ["small_step", "many_samples", "long_passes"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda t: t.replace('steps = "steps"', 'steps = "steps", clip = 1'), "a clipped gradient descends no loss; it is simulated only"),
        (lambda t: t.replace("widths = [15]", "widths = [15, 15]"), "2 hidden layers have no slow flow in overlaps"),
        (lambda t: t.replace("widths = [15]", "widths = [15], bias = true"), "trained biases"),
        (lambda t: t.replace('"square"', '"absolute"'), "a multiple of (y - z)^2 only"),
        (lambda t: t.replace('"small_step"', '"gaussian_equivalence"'), "sgd without small_step has no theory yet"),
        (lambda t: t.replace(", dimension = 15", ""), "in a fixed dimension only"),
        (lambda t: t.replace('kind = "linear"', 'kind = "probit"'), "y = z + noise only"),
    ],
)
def test_what_has_no_law_is_said_in_one_line(change, sentence):
    assert change(TEXT) != TEXT
    with pytest.raises(Underivable) as caught:
        derive(Spec.from_toml(change(TEXT)))
    assert sentence in str(caught.value) and "\n" not in str(caught.value)
