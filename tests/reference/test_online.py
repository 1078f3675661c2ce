"""One-pass learning against numbers and closed forms from elsewhere."""

from pathlib import Path

import numpy as np
import pytest
import sympy as sp

from numerics.flow.landmarks import fixed_point
from numerics.flow.trajectory import trajectory
from numerics.status import Status
from replica.families.online.gaussian import Fields, expectation
from replica.families.online.reading import X
from replica.families.online.shapes import softened
from replica.families.online.terms import derivative
from replica.spec import load
from tests.properties.flows import committee, flow_of

HERE = Path(__file__).parent
CURRICULUM = (
    (HERE.parent / "specs" / "p10b_curriculum_online.toml")
    .read_text()
    .replace("[observables]", '[observables]\nerror_easy = { average = "heaviside(-y*z)", on = "easy" }')
)
STAGES = CURRICULUM[CURRICULUM.index("[[stage]]") : CURRICULUM.index("[observables]")]
MIXED = CURRICULUM.replace(STAGES, '[[stage]]\nname = "only"\non = ["easy", "hard"]\ntime = "T"\n')


def table(name):
    lines = (HERE / f"{name}.csv").read_text().splitlines()
    return np.loadtxt([line for line in lines if line[0] not in "#a"], delimiter=",")


def test_committee_machine_follows_saad_and_solla():
    rows = table("committee_erf")
    q, r = rows[0, 2:5], rows[0, 5:9]
    start = {"Q": np.array([[[q[0], q[1]], [q[1], q[2]]]]), "R": r.reshape(1, 2, 2)}
    found = trajectory(flow_of(committee()), {}, rows[:, 0], start=start)
    assert found.ok and found.time == 1000
    big, cross = found.arrays["Q"], found.arrays["R"]
    own = np.column_stack([found.observables["mse"] / 2, big[:, 0, 0], big[:, 0, 1], big[:, 1, 1], cross.reshape(-1, 4)])
    early = rows[:, 0] <= 100
    np.testing.assert_allclose(own[early], rows[early, 1:], rtol=0, atol=1e-9)
    np.testing.assert_allclose(own[~early], rows[~early, 1:], rtol=0, atol=1e-8)


@pytest.mark.parametrize(("name", "text"), [("curr", CURRICULUM), ("rand", MIXED)])
def test_curricula(name, text):
    rows = table(f"curriculum_online_{name}")
    start = {"Q": np.full((2, 1, 1), 0.5), "R": np.zeros((2, 1, 1)), "T": np.array([[[0.5]], [[0.0]]])}
    found = trajectory(flow_of(text), {"T": 12.0}, rows[:, 0], start=start)
    q, r = found.arrays["Q"][:, :, 0, 0], found.arrays["R"][:, 0, 0, 0]
    own = np.column_stack([r, q, 1 - found.observables["error_hard"], 1 - found.observables["error_easy"]])
    np.testing.assert_allclose(own, rows[:, 1:], rtol=0, atol=1e-8)


@pytest.mark.parametrize(("units", "expected"), [(2, 4.021088540747e-4), (3, 8.010813587167e-4)])
def test_noise_floor_of_a_committee(units, expected):
    # teacher of two units, activations 2 erf, eta = 0.05, sigma = 0.1: error at alpha = 2e4, equations by hand; to first order in eta
    # 3.6755e-4 and 6.8586e-4
    text = committee().replace('activation = "erf"', 'activation = { formula = "2*erf(z/sqrt(2))" }')
    start = {"Q": np.diag([1, 1, 0.02][:units])[None], "R": np.eye(units, 2)[None], "T": np.eye(2)[None]}
    rest = fixed_point(flow_of(text), {"eta": 0.05, "Delta": 0.01, "K": units}, start)
    assert rest.status is Status.CONVERGED and rest.stable
    found = trajectory(flow_of(text), {"eta": 0.05, "Delta": 0.01, "K": units}, [0.0], start=rest.arrays)
    assert (found.observables["mse"][-1] - 0.01) / 2 == pytest.approx(expected, rel=1e-8)


def covariance(n, seed):
    a = np.random.default_rng(seed).standard_normal((n, n + 1))
    return {sp.Symbol(f"c_{i + 1}{j + 1}", real=True, **({"positive": True} if i == j else {})): sp.Rational(str(round(v, 6)))
            for i, row in enumerate(a @ a.T / n) for j, v in enumerate(row) if i <= j}  # fmt: skip


def kernel(*functions):
    law = Fields(len(functions), True)
    return expectation([f.xreplace({X: x}) for f, x in zip(functions, law.variables, strict=True)], law)


ERF = softened(sp.erf(X / sp.sqrt(2)), X)
SLOPE, PLAIN = derivative(ERF), sp.sympify(X)


def textbook(name, c):
    """I_2, I_3, I_4 of Saad and Solla (1995) and J_2, as printed, for g(x) = erf(x/sqrt 2)."""

    def k(i, j):
        return c[f"c_{min(i, j)}{max(i, j)}"]

    pi = sp.pi
    if name == "I2":
        return 2 / pi * sp.asin(k(1, 2) / sp.sqrt((1 + k(1, 1)) * (1 + k(2, 2))))
    if name == "I3":
        l3 = (1 + k(1, 1)) * (1 + k(3, 3)) - k(1, 3) ** 2
        return 2 / pi * (k(2, 3) * (1 + k(1, 1)) - k(1, 2) * k(1, 3)) / (sp.sqrt(l3) * (1 + k(1, 1)))
    l4 = (1 + k(1, 1)) * (1 + k(2, 2)) - k(1, 2) ** 2
    if name == "J2":
        return 2 / pi / sp.sqrt(l4)
    l0 = (l4 * k(3, 4) - k(2, 3) * k(2, 4) * (1 + k(1, 1)) - k(1, 3) * k(1, 4) * (1 + k(2, 2)) + k(1, 2) * k(1, 3) * k(2, 4)
          + k(1, 2) * k(1, 4) * k(2, 3))  # fmt: skip

    def lower(i):
        return l4 * (1 + k(i, i)) - k(2, i) ** 2 * (1 + k(1, 1)) - k(1, i) ** 2 * (1 + k(2, 2)) + 2 * k(1, 2) * k(1, i) * k(2, i)

    return 4 / pi**2 / sp.sqrt(l4) * sp.asin(l0 / sp.sqrt(lower(3) * lower(4)))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("name", "functions"), [("I2", (ERF, ERF)), ("J2", (SLOPE, SLOPE)), ("I3", (SLOPE, PLAIN, ERF)), ("I4", (SLOPE, SLOPE, ERF, ERF))]
)
def test_derived_kernels_are_those_of_the_textbook(name, functions, seed):
    at = covariance(len(functions), seed)
    derived = kernel(*functions).replace(
        lambda e: type(e).__name__ == "Angle", lambda e: sp.asin(e.args[0] / sp.sqrt(e.args[1] * e.args[2]))
    )
    ours = derived.xreplace(at).evalf(30)
    theirs = textbook(name, {symbol.name: value for symbol, value in at.items()}).evalf(30)
    assert abs(ours / theirs - 1) < 1e-15


RELU = softened(sp.Max(0, X), X)


@pytest.mark.parametrize(
    "functions",
    [
        (RELU, RELU),
        (derivative(RELU), derivative(RELU)),
        (derivative(RELU), PLAIN, RELU),
        (softened(sp.sign(X), X), ERF),
        (RELU, ERF, PLAIN),
    ],
)
def test_other_kernels_agree_with_draws(functions):
    at = covariance(len(functions), 3)
    n = len(functions)
    matrix = np.array(
        [[float(at[next(s for s in at if s.name == f"c_{min(i, j)}{max(i, j)}")]) for j in range(1, n + 1)] for i in range(1, n + 1)]
    )
    x = np.random.default_rng(0).multivariate_normal(np.zeros(n), matrix, size=400_000)
    plain = {"SoftSign": lambda e: sp.erf(e.args[0] / sp.sqrt(2 * e.args[1])) if e.args[1] != 0 else sp.sign(e.args[0])}
    product = np.ones(len(x))
    for i, f in enumerate(functions):
        expression = f.replace(lambda e: type(e).__name__ in plain, lambda e: plain[type(e).__name__](e))
        product *= (
            np.vectorize(sp.lambdify(X, expression, "math"), otypes=[float])(x[:, i])
            if expression.has(sp.erf)
            else np.asarray(sp.lambdify(X, expression, "numpy")(x[:, i]))
        )
    derived = kernel(*functions).replace(
        lambda e: type(e).__name__ == "Angle", lambda e: sp.asin(e.args[0] / sp.sqrt(e.args[1] * e.args[2]))
    )
    value = float(derived.xreplace(at))
    assert abs(product.mean() - value) < 5 * product.std() / np.sqrt(len(x))


def test_xor_mixture_within_its_sampling_error():
    # ReLU K = 4, logistic loss, sigma = 0.1, eta = 1: an independent solution on 2^13 nodes, itself good to 2e-3 to 6e-3 in R
    rows = table("xor_mixture")
    q = np.zeros((4, 4))
    q[np.triu_indices(4)] = rows[0, 9:19]
    start = {"Q": (q + np.triu(q, 1).T)[None], "R": rows[0, 1:9].reshape(1, 4, 2), "v": rows[0, 19:23], "T": np.eye(2)[None]}
    flow = flow_of(load("xor_mixture").to_toml())
    found = trajectory(flow, {"sigma": 0.1, "alpha": 20.0}, rows[1:, 0], start=start, nodes=8192)
    np.testing.assert_allclose(found.arrays["R"].reshape(len(rows) - 1, -1), rows[1:, 1:9], rtol=0, atol=1e-3)
    np.testing.assert_allclose(found.arrays["Q"][:, *np.triu_indices(4)], rows[1:, 9:19], rtol=0, atol=1e-3)
    np.testing.assert_allclose(found.arrays["v"], rows[1:, 19:23], rtol=0, atol=1e-3)
