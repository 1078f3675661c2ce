"""Formulas: what they mean, and the sentence that a wrong one gets."""

import math

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from replica.arrays import evaluate
from replica.formula import RESERVED, FormulaError, exact, names_in, parse, parse_condition
from replica.functions import FUNCTIONS
from replica.nodes import Log2Cosh, LogH, Sigmoid, Softplus

y, z, w, lam, T = (sp.Symbol(name, real=True) for name in ("y", "z", "w", "lambda", "T"))
NAMES = {"y": y, "z": z, "w": w, "lambda": lam, "T": T}
half = sp.Rational(1, 2)

MEANINGS = {
    "0.01": sp.Rational(1, 100),
    "1e-3 * z": z / 1000,
    "lambda*w**2/2": lam * w**2 / 2,
    "-z**2": -(z**2),
    "2**-1": half,
    "z - 1 - 2": z - 3,
    "8/4/2": sp.Integer(1),
    "  2 *\n z": 2 * z,
    "cos(pi)": sp.Integer(-1),
    "H(z)": sp.exp(LogH(z)),
    "Phi(z)": sp.exp(LogH(-z)),
    "log(H(-y*z))": LogH(-y * z),
    "log(1 - Phi(z))": LogH(z),
    "log(erfc(z)/2)": LogH(sp.sqrt(2) * z),
    "sigmoid(z)": Sigmoid(z),
    "1/(1 + exp(-z))": Sigmoid(z),
    "exp(z)/(1 + exp(z))": Sigmoid(z),
    "log(sigmoid(z))": -Softplus(-z),
    "log(1 - sigmoid(z))": -Softplus(z),
    "log(1 + exp(-y*z))": Softplus(-y * z),
    "log(exp(z) + 1)": Softplus(z),
    "log1p(exp(z))": Softplus(z),
    "log(2*cosh(z))": Log2Cosh(z),
    "log(cosh(z))": Log2Cosh(z) - sp.log(2),
    "log(exp(z) + exp(-z))": Log2Cosh(z),
    "log(w)": sp.log(w),
    "log(2*w)": sp.log(2 * w),
    "relu(z)": sp.Max(0, z),
    "max(0, 1 - y*z)": sp.Max(0, 1 - y * z),
    "heaviside(z)": sp.Heaviside(z, half),
    "where(z < 0, -z, T)": sp.Piecewise((-z, z < 0), (T, True)),
    "where(1 < 2, z, T)": z,
}


@pytest.mark.parametrize("text", MEANINGS)
def test_meaning(text):
    assert parse(text, NAMES) == MEANINGS[text]


REFUSALS = {
    "": (1, "empty"),
    "lamda + 1": (1, "'lamda' is not known here; did you mean 'lambda'? (declare it under [controls])"),
    "2*Lambda": (3, "did you mean 'lambda'?"),
    "gamma*z": (1, "known: T lambda pi w y z; declare it under [controls]"),
    "z^2": (2, "'^' is not a power here, write **"),
    "z + 2y": (5, "'2y' is not a product here, write 2*y"),
    "2 z": (1, "this is not a formula near 'z'"),
    "|w|": (1, "write abs(...)"),
    "z = 1": (3, "'=' is not known here"),
    "z // 2": (3, "write /"),
    "z % 2": (3, "'%' is not known here"),
    "sine(z)": (1, "function 'sine' is not known here; did you mean 'sin'? (functions: where exp"),
    "exp": (1, "'exp' is a function, write exp(...)"),
    "z(2)": (1, "'z' is not a function, write z*(...)"),
    "exp(z, 1)": (1, "exp takes 1 argument, found 2"),
    "max(z)": (1, "max takes 2 to 8 arguments, found 1"),
    "(z + 1": (1, "the brackets do not match (1 opened, 0 closed)"),
    "z < 1": (1, "a comparison stands only in the first place of where"),
    "where(z, 1, 2)": (7, "a single comparison"),
    "where(0 < z < 1, 1, 2)": (7, "a single comparison"),
    "where(z < 1, 2)": (1, "where takes 3 arguments"),
    "1e400": (1, "too large"),
    "z + 1e-200": (5, "too small"),
    "where(where(z < 0, 1, 2) < 1, 1, 2)": (7, "where(...) cannot stand inside a comparison"),
    "9**9**9": (4, "the exponent is too large"),
    "((z**60)**60)**60": (16, "too large"),
    "exp(exp(exp(9)))": (5, "no real value"),
    "sqrt(-1)": (1, "no real value"),
    "log(0)": (1, "no real value"),
    "1/(z - z)": (4, "division by zero"),
    "z + 1/0": (7, "division by zero"),
    "lambda z: z": (9, "':' is not known here"),
    "z if y else w": (3, "'if' is not known here"),
    "z.real": (2, "'.' is not known here"),
    "z[0]": (2, "'[' is not known here"),
    "'z'": (1, "is not known here"),
    "\u0437": (1, "'\\u0437' is not known here"),
    "(" * 40 + "z" + ")" * 40: (21, "nested too deeply"),
    "z" + "+z" * 300: (301, "too long"),
    "z" * 2000: (1000, "too long"),
}


@pytest.mark.parametrize("text", REFUSALS, ids=lambda t: t[:20])
def test_refusal_names_column_and_remedy(text):
    column, words = REFUSALS[text]
    with pytest.raises(FormulaError) as caught:
        parse(text, NAMES)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value) and str(caught.value).startswith(f"column {caught.value.column}: ")
    if "near" not in words and "brackets do not" not in words:
        assert caught.value.column == column


def test_keyword_control_keeps_columns():
    with pytest.raises(FormulaError, match="^column 10: 'q' is not known"):
        parse("lambda + q", NAMES)
    assert parse("lambda*_vvvv0", {**NAMES, "_vvvv0": T}) == lam * T  # a control that looks like the alias


@pytest.mark.parametrize("word", ["if", "is", "in", "as", "or", "None", "nonlocal"])
def test_any_keyword_may_name_a_control(word):
    control = sp.Symbol(word, real=True)
    assert parse(f"2*{word} + z", {"z": z, word: control}) == 2 * control + z


def test_names_and_conditions():
    assert names_in("exp(lambda*z_large) + pi*z - lambda") == ("lambda", "z_large", "z")
    assert parse_condition("y > 0", NAMES) == (y > 0)
    with pytest.raises(FormulaError, match="a single comparison"):
        parse_condition("y", NAMES)
    assert {"lambda", "alpha"}.isdisjoint(RESERVED) and {"pi", "where", "H"} <= RESERVED


def test_exact_numbers():
    assert exact(0.1) == sp.Rational(1, 10) and exact(np.float64(1e-8)) == sp.Rational(1, 10**8) and exact(3) == 3
    assert exact(float("inf")) == sp.oo and exact(-float("inf")) == -sp.oo
    with pytest.raises(ValueError, match="nan"):
        exact(float("nan"))


numbers = st.floats(-3, 3).map(lambda x: round(x, 3))


@pytest.mark.parametrize("name", FUNCTIONS)
@settings(max_examples=15, deadline=None)
@given(a=numbers, b=numbers)
def test_functions_agree_with_their_numbers(name, a, b):
    """Three independent readings of a function: SymPy at high precision, NumPy node by node, and the parser's own."""
    function = FUNCTIONS[name]
    if name in ("log", "sqrt", "log1p"):
        a = abs(a) + 0.01
    arguments = (a, b)[: function.fewest]
    expr = parse(f"{name}({', '.join(('z', 'w')[: function.fewest])})", NAMES)
    symbolic = float(expr.subs({z: sp.Float(a, 30), w: sp.Float(b, 30)}).evalf(20))
    assert function.number(*arguments) == pytest.approx(symbolic, rel=1e-12, abs=1e-15)
    assert float(evaluate(expr, {z: a, w: b})) == pytest.approx(symbolic, rel=1e-9, abs=1e-12)
    assert float(parse(f"{name}({', '.join(map(repr, arguments))})", {})) == pytest.approx(symbolic, rel=1e-12, abs=1e-15)


def test_log_tail_far_out():
    for x in (-40.0, -3.0, 0.0, 20.0, 24.9, 25.1, 1e3, 1e6):
        assert float(evaluate(LogH(z), {z: x})) == pytest.approx(float(LogH(sp.Float(x, 40)).evalf(30)), rel=1e-12)


def test_unknown_symbol_has_no_value():
    with pytest.raises(ValueError, match="w has no value here"):
        evaluate(z + w, {z: 1.0})
    assert math.isclose(float(evaluate(sp.Piecewise((1 / z, z > 0), (z, True)), {z: 0.0})), 0.0)
