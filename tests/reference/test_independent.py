"""Learners sampled independently from the same data, against integrals written by hand and the star-shaped table.

Table: tests/reference/landscape_values.json, `star_shaped` (card 1.8 of the landscape papers, own derivation; arXiv 2305.10623).
"""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import log_ndtr, ndtr

from numerics.compile import compile_theory
from numerics.solve import solve
from numerics.status import Status
from replica.derive import Underivable, derive
from replica.spec import Spec, load
from simulate.finite_size import Verdict, compare_all
from simulate.runs import simulate
from tests.properties.ensembles import compiled

VALUES = {entry["id"]: entry["value"] for entry in json.loads((Path(__file__).parent / "landscape_values.json").read_text())["values"]}
STAR = {alpha: VALUES[f"star_shaped.kappa=-0.5.alpha={alpha}"] for alpha in (0.5, 1.0, 3.0)}
Z, W = np.polynomial.hermite_e.hermegauss(120)
W = W / W.sum()

TWO = """
format = 1
name = "two learners"
{head}
[learner.a]
{a}
[learner.b]
like = "a"
{b}
[observables]
both = {{ cosine = ["a", "b"] }}
same = {{ kind = "agreement", between = ["a", "b"] }}
{more}
[controls]
alpha = {{ value = {alpha}, domain = "(0, inf)" }}
"""


def two(a: str, b: str, alpha: float, head: str = "", more: str = "") -> Spec:
    return Spec.from_toml(TWO.format(a=a, b=b, alpha=alpha, head=head, more=more))


def score(margin: float, q: float, h: np.ndarray) -> np.ndarray:
    """Slope of log P(field > margin) in the field that the copies share."""
    x = (margin - h) / np.sqrt(1 - q)
    return np.exp(-(x**2) / 2 - log_ndtr(-x)) / np.sqrt(2 * np.pi * (1 - q))


def own_overlap(alpha: float, margin: float) -> float:
    """q of a spherical storage problem: q/(1-q)^2 = alpha E g^2."""
    return brentq(lambda q: q / (1 - q) ** 2 - alpha * np.sum(W * score(margin, q, np.sqrt(q) * Z) ** 2), 1e-9, 0.97, xtol=1e-15)


def cross_overlap(alpha: float, margins: tuple[float, float]) -> float:
    """p = (1 - q_a)(1 - q_b) alpha E[g_a g_b], fields of covariance p."""
    qs = [own_overlap(alpha, margin) for margin in margins]

    def excess(p: float) -> float:
        first = np.sqrt(qs[0]) * Z[:, None]
        second = p / np.sqrt(qs[0]) * Z[:, None] + np.sqrt(qs[1] - p**2 / qs[0]) * Z[None, :]
        both = W[:, None] * W[None, :] * score(margins[0], qs[0], first) * score(margins[1], qs[1], second)
        return p - (1 - qs[0]) * (1 - qs[1]) * alpha * both.sum()

    return brentq(excess, 1e-6, np.sqrt(qs[0] * qs[1]) * (1 - 1e-9), xtol=1e-15)


def star():
    return compiled(load("star_shaped"))


def at(**controls):
    return solve(star(), controls)[0]


@pytest.mark.parametrize(("alpha", "margin"), [(0.5, 0.2), (1.0, -0.2), (2.0, -0.35)])
def test_overlap_of_two_solutions(alpha, margin):
    found = at(alpha=alpha, kappa_high=margin)
    assert found.status is Status.CONVERGED
    assert float(found["overlap_ab"]) == pytest.approx(cross_overlap(alpha, (-0.5, margin)), abs=1e-10)
    assert float(found["q[typical,typical]"]) == pytest.approx(own_overlap(alpha, -0.5), abs=1e-10)
    assert float(found["q[robust,robust]"]) == pytest.approx(own_overlap(alpha, margin), abs=1e-10)


@pytest.mark.parametrize("alpha", STAR)
def test_the_star_and_its_convex_kernel(alpha):
    expected = STAR[alpha]
    found = at(alpha=alpha, kappa_high=expected["kappa_star"])
    assert float(found["touching"]) == pytest.approx(0, abs=1e-8)
    assert float(found["overlap_ab"]) == pytest.approx(expected["p"], abs=1e-8)
    assert float(found["q[robust,robust]"]) == pytest.approx(expected["q_tilde"], abs=1e-8)
    assert float(found["q[typical,typical]"]) == pytest.approx(expected["q_typ"], abs=1e-8)
    convex = expected["kappa_pairwise_convex"]
    q = float(at(alpha=alpha, kappa_high=convex)["q[robust,robust]"])
    assert convex == pytest.approx(-0.5 * np.sqrt((1 + q) / 2), abs=1e-8)


def test_the_margin_of_the_star_is_solved_for():
    text = load("star_shaped").to_toml().replace("value = -0.4,", 'solve = "touching = 0", value = -0.2,')
    found = solve(compiled(Spec.from_toml(text)), {"alpha": 2.0})[0]
    assert float(found["kappa_high"]) == pytest.approx(-0.295712, abs=1e-6)
    assert found.status.ok


@pytest.mark.slow
def test_the_star_ends_at_the_largest_margin():
    """alpha at which the margin of the star comes within 0.004, 0.002, 0.001 of the largest one, to the digits of the table."""

    def largest(alpha: float) -> float:
        return brentq(lambda k: alpha * ((1 + k**2) * ndtr(k) + k * np.exp(-(k**2) / 2) / np.sqrt(2 * np.pi)) - 1, -2, 2)

    for gap, expected in zip((4e-3, 2e-3, 1e-3), VALUES["star_shaped.kappa=-0.5.alpha_star_RS"], strict=True):
        below, above = (float(at(alpha=alpha, kappa_high=largest(alpha) - gap)["touching"]) for alpha in (expected - 5e-5, expected + 5e-5))
        assert above < 0 < below, gap


def barrier(alpha: float, margin: float) -> float:
    """Halfway between two typical solutions: both fields are drawn from one truncated law, given what is common to them."""
    q = own_overlap(alpha, margin)
    V, length = 1 - q, np.sqrt((1 + q) / 2)
    x, w = np.polynomial.legendre.leggauss(200)
    top = 2 * margin * length - margin  # above it the sum of the fields reaches the margin in any case
    h, weight = margin + (x + 1) / 2 * (top - margin), w / 2 * (top - margin)
    common = np.sqrt(q) * Z[:, None]
    logs = log_ndtr((common - margin) / np.sqrt(V))
    density = np.exp(-((h - common) ** 2) / (2 * V) - logs) / np.sqrt(2 * np.pi * V)
    below = 1 - np.exp(log_ndtr((h + common - 2 * margin * length) / np.sqrt(V)) - logs)  # lower tails would cancel
    return alpha * float(np.sum(W[:, None] * weight * density * below))


@pytest.mark.parametrize("alpha", STAR)
def test_two_typical_solutions(alpha):
    """Equal learners: the overlap runs to its end, p = q, and the barrier is the one of the table, to its four digits."""
    found = at(alpha=alpha, kappa_high=-0.5, gamma=0.5)
    assert found.status is Status.AT_END
    assert float(found["overlap_ab"]) == pytest.approx(float(found["q[typical,typical]"]), abs=1e-12)
    assert float(found["barrier"]) == pytest.approx(STAR[alpha]["barrier_midpoint_typical"], abs=1e-6)
    assert float(found["barrier"]) == pytest.approx(barrier(alpha, -0.5), abs=1e-11)


def test_the_energy_between_solutions_ends_on_them():
    for position in (0.0, 1.0):
        assert float(at(gamma=position)["barrier"]) == pytest.approx(0, abs=1e-9)
    assert float(at(gamma=0.3)["barrier"]) > 1e-3


GIBBS = 'protocol = {{ kind = "gibbs", beta = {beta} }}\nprior = {prior}\nloss = {{ kind = "theta", margin = {margin} }}'


def test_each_learner_keeps_its_own_equations():
    prior = '"binary"'
    one, other = (GIBBS.format(beta="inf", prior=prior, margin=margin) for margin in (0, 0.3))
    spec = two(one, 'loss = { kind = "theta", margin = 0.3 }', 0.4)
    found = solve(compile_theory(derive(spec)))[0]
    for name, text in (("a", one), ("b", other)):
        alone = f'format = 1\nname = "alone"\n[student]\n{text}\n[controls]\nalpha = {{ value = 0.4, domain = "(0, inf)" }}\n'
        expected = solve(compile_theory(derive(Spec.from_toml(alone))))[0]
        assert float(found[f"q[{name},{name}]"]) == pytest.approx(float(expected["q"]), abs=1e-12)
        assert float(found[f"entropy[{name}]"]) == pytest.approx(float(expected["entropy"]), abs=1e-12)
    assert float(found["q[a,b]"]) ** 2 < float(found["q[a,a]"]) * float(found["q[b,b]"])


def test_what_has_no_theory_beside_others_is_refused():
    one = GIBBS.format(beta="inf", prior='"spherical"', margin=-0.5)
    free = two(one, 'loss = { kind = "theta", margin = -0.4 }', 4.3, head='[ansatz]\nkind = "rsb"\nk = 1\nx = "free"')
    with pytest.raises(Underivable, match="free Parisi parameters"):
        derive(free)


@pytest.mark.slow
def test_an_energy_between_broken_vertices_is_refused():
    one = GIBBS.format(beta="inf", prior='"spherical"', margin=-0.5)
    energy = 'barrier = { kind = "geodesic_energy", vertices = ["a", "b"], at = 0.5 }'
    broken = two(one, 'loss = { kind = "theta", margin = -0.4 }', 4.3, head='[ansatz]\nkind = "rsb"\nk = 1\nx = 0.5', more=energy)
    with pytest.raises(Underivable, match="built for ansatz 'rs'"):
        derive(broken)


@pytest.mark.slow
def test_sampled_solutions_agree_with_the_theory():
    spec = load("star_shaped")
    solution = solve(star())[0]
    runs = simulate(spec, sizes=(60, 120), seeds=24)
    compared = compare_all(runs, {**solution.observables, **solution.order_parameters})
    assert {"overlap_ab", "barrier", "q[typical,robust]"} <= {c.observable for c in compared}
    away = [(c.observable, round(c.z, 1), c.reason) for c in compared if c.verdict is not Verdict.AGREES]
    assert not away
