"""What must hold between theories: Nishimori, symmetries, rescalings, limits, bounds, independence of the start."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.outcome import TOLERANCE
from numerics.problem import Problem
from numerics.solve import solve
from tests.properties.solved import best, catalog_module, module_of, numbers, spec_text

FEW = settings(max_examples=4, derandomize=True, deadline=None, database=None)
ALPHA = st.integers(3, 40).map(lambda k: k / 10)
EXACT = 1e-9
GAUSSIAN, SIGN = 'prior = "gaussian"', 'channel = "sign"'


def control(name: str, value: float = 1.0, domain: str = "(0, inf)") -> str:
    return f'{name} = {{ value = {value}, domain = "{domain}" }}'


def ridge(loss: str, teacher: str = f"{GAUSSIAN}\n{SIGN}", controls: str = "", penalty: str = '{ kind = "ridge", strength = "lambda" }'):
    """A minimiser with ridge strength lambda, compiled."""
    student = f'protocol = "erm"\nloss = {loss}\nregularizer = {penalty}'
    return module_of(spec_text(student, teacher, "\n".join([control("lambda"), controls])))


def bayes(teacher: str, controls: str = ""):
    return module_of(spec_text('protocol = "bayes"', teacher, controls))


def agree(one, other, names, rel=EXACT) -> None:
    a, b = numbers(one), numbers(other)
    for name in names:
        assert a[name] == pytest.approx(b[name], rel=rel, abs=rel), name


# ------------------------------------------------------------------ Nishimori


@pytest.mark.parametrize(
    "prior",
    [
        pytest.param(GAUSSIAN, marks=pytest.mark.slow),
        "prior = { atoms = [-1, 0, 1], weights = [0.25, 0.5, 0.25] }",
        pytest.param('prior = { kind = "laplace", scale = 1 }', marks=pytest.mark.slow),
    ],
    ids=["gaussian", "atoms", "laplace"],
)
def test_a_gibbs_student_with_the_truth_is_the_bayes_student(prior):
    """Loss = -log P(y|z) at beta = 1 and the teacher's prior: m = q, both the Bayes q, through different equations."""
    teacher = f'{prior}\nchannel = {{ density = "sigmoid(2*y*z)", labels = [-1, 1] }}'
    student = f'protocol = {{ kind = "gibbs", beta = 1 }}\nloss = {{ formula = "log(1 + exp(-2*y*z))" }}\n{prior}'
    gibbs, rule = module_of(spec_text(student, teacher)), bayes(teacher)
    for alpha in (0.7, 2.5):
        one, other = numbers(best(gibbs, alpha=alpha)), numbers(best(rule, alpha=alpha))
        assert one["m"] == pytest.approx(one["q"], rel=EXACT)
        assert one["q"] == pytest.approx(other["q"], rel=EXACT)
        assert one["Q"] == pytest.approx(other["q"] + other["V"], rel=EXACT)
        assert one["q_hat"] == pytest.approx(other["q_hat"], rel=EXACT) and one["m_hat"] == pytest.approx(one["q_hat"], rel=EXACT)
        assert one["free_entropy"] == pytest.approx(other["free_entropy"], rel=EXACT)
        assert one["replicon"] == pytest.approx(other["replicon"], rel=EXACT)


# ------------------------------------------------------------------ symmetries


@given(alpha=ALPHA)
@FEW
def test_the_other_sign_of_the_labels(alpha):
    """A teacher of opposite labels and a loss of opposite labels are the same problem; the overlap changes sign with one of them."""
    same = best(ridge('{ formula = "log(1 + exp(-y*z))" }'), alpha=alpha)
    both = best(ridge('{ formula = "log(1 + exp(y*z))" }', f'{GAUSSIAN}\nchannel = {{ map = "sign(-z)" }}'), alpha=alpha)
    agree(same, both, ("m", "q", "chi", "free_entropy", "training_loss"))
    turned = best(ridge('{ formula = "log(1 + exp(-y*z))" }', f'{GAUSSIAN}\nchannel = {{ map = "sign(-z)" }}'), alpha=alpha)
    agree(same, turned, ("q", "chi", "q_hat", "free_entropy", "training_loss"))
    assert float(turned["m"]) == pytest.approx(-float(same["m"]), rel=EXACT)
    assert float(turned["generalization_error"]) == pytest.approx(float(same["generalization_error"]), rel=EXACT)


@given(alpha=ALPHA, scale=st.sampled_from([0.25, 4.0]))
@FEW
def test_rescaled_units(alpha, scale):
    """Teacher, noise and labels in other units: overlaps of a linear learner scale, responses do not."""
    controls = "\n".join([control("rho"), control("Delta", 0.25)])
    teacher = 'prior = { kind = "gaussian", variance = "rho" }\nchannel = { kind = "linear", variance = "Delta" }'
    module = ridge('"square"', teacher, controls)
    one = numbers(best(module, alpha=alpha, **{"lambda": 0.3}, rho=1.0, Delta=0.25))
    other = numbers(best(module, alpha=alpha, **{"lambda": 0.3}, rho=scale, Delta=0.25 * scale))
    for name, power in (("m", 1), ("q", 1), ("chi", 0), ("m_hat", 0), ("q_hat", 1), ("chi_hat", 0), ("free_entropy", 1), ("mse", 1)):
        assert other[name] == pytest.approx(one[name] * scale**power, rel=EXACT), name


@given(alpha=ALPHA, factor=st.sampled_from([0.5, 3.0]))
@FEW
def test_a_rescaled_energy(alpha, factor):
    """Loss and penalty times the same factor have the same minimiser; its response shrinks by the factor."""
    one = numbers(best(ridge('{ formula = "log(1 + exp(-y*z))" }'), alpha=alpha))
    other = numbers(best(ridge(f'{{ formula = "{factor}*log(1 + exp(-y*z))" }}'), alpha=alpha, **{"lambda": factor}))
    powers = {"m": 0, "q": 0, "chi": -1, "m_hat": 1, "q_hat": 2, "chi_hat": 1, "free_entropy": 1, "training_loss": 1}
    for name, power in powers.items():
        assert other[name] == pytest.approx(one[name] * factor**power, rel=EXACT), name


@given(alpha=ALPHA, length=st.sampled_from([0.3, 5.0]))
@FEW
def test_the_length_of_a_teacher_of_signs_does_not_matter(alpha, length):
    module = ridge('"hinge"', f'prior = {{ kind = "gaussian", variance = "rho" }}\n{SIGN}', control("rho"))
    one, other = numbers(best(module, alpha=alpha, rho=1.0)), numbers(best(module, alpha=alpha, rho=length))
    assert other["m"] == pytest.approx(one["m"] * math.sqrt(length), rel=EXACT)
    for name in ("q", "chi", "q_hat", "overlap", "generalization_error", "training_loss", "free_entropy"):
        assert other[name] == pytest.approx(one[name], rel=EXACT), name


def test_atoms_in_any_order():
    orders = (
        "[-1, 0, 2], weights = [0.25, 0.5, 0.25]", "[2, -1, 0], weights = [0.25, 0.25, 0.5]", "[0, 2, -1], weights = [0.5, 0.25, 0.25]",
    )
    found = [best(bayes(f"prior = {{ atoms = {order} }}\n{SIGN}"), alpha=1.3) for order in orders]
    for other in found[1:]:
        agree(found[0], other, ("q", "q_hat", "free_entropy", "generalization_error", "replicon"), 1e-12)


# ------------------------------------------------------------------ limits and special cases


@given(alpha=ALPHA)
@FEW
def test_special_cases(alpha):
    """One kind of ingredient contains another."""
    names = ("m", "q", "chi", "q_hat", "free_entropy")
    linear = f'{GAUSSIAN}\nchannel = {{ kind = "linear", variance = 0.25 }}'
    square = best(ridge('"square"', linear), alpha=alpha)
    agree(square, best(ridge('{ kind = "huber", delta = 200 }', linear), alpha=alpha), names)
    elastic = '{ kind = "elastic_net", l1 = 0, ridge = "lambda" }'
    agree(square, best(ridge('"square"', linear, penalty=elastic), alpha=alpha), names)
    agree(square, best(ridge('{ formula = "(y - z)**2/2" }', linear, penalty='{ formula = "lambda*w**2/2" }'), alpha=alpha), names)


@given(alpha=ALPHA)
@FEW
def test_special_priors(alpha):
    names = ("q", "q_hat", "free_entropy", "generalization_error")
    signs = best(bayes(f'prior = "binary"\n{SIGN}'), alpha=alpha / 4)
    agree(signs, best(bayes(f"prior = {{ atoms = [-1, 1] }}\n{SIGN}"), alpha=alpha / 4), names)
    dense = best(bayes(f"{GAUSSIAN}\n{SIGN}"), alpha=alpha)
    sparse = bayes(f'prior = {{ kind = "gauss_bernoulli", rho = "rho" }}\n{SIGN}', control("rho", 0.5, "(0, 1]"))
    agree(dense, best(sparse, alpha=alpha, rho=1.0), names)
    agree(dense, best(bayes(f'prior = {{ density = "exp(-w**2/2)/sqrt(2*pi)" }}\n{SIGN}'), alpha=alpha), names)
    agree(dense, best(bayes(f'prior = "spherical"\n{SIGN}'), alpha=alpha), ("q", "generalization_error"))


def test_noise_that_vanishes():
    """A probit of variance Delta approaches a sign linearly in Delta."""
    sign = numbers(best(catalog_module("bayes_sign"), alpha=1.5))["q"]
    gaps = [sign - numbers(best(catalog_module("bayes_probit"), alpha=1.5, Delta=D))["q"] for D in (1e-3, 1e-4, 1e-5)]
    assert gaps[0] > gaps[1] > gaps[2] > 0 and gaps[2] < 1e-4
    assert gaps[1] / gaps[2] == pytest.approx(10, rel=0.02)


def test_cold_students_reach_the_version_space():
    """Counting errors at inverse temperature beta approaches beta = inf exponentially."""
    student = 'protocol = { kind = "gibbs", beta = inf }\nloss = "theta"\nprior = "spherical"'
    cold = module_of(spec_text(student, f'prior = "spherical"\n{SIGN}'))
    limit = numbers(best(cold, alpha=2.0))
    warm = [numbers(best(catalog_module("gibbs_sign"), alpha=2.0, beta=beta)) for beta in (8.0, 12.0, 30.0)]
    gaps = [abs(w["q"] - limit["q"]) for w in warm]
    assert gaps[0] > gaps[1] and gaps[2] < 1e-9
    assert warm[2]["m"] == pytest.approx(limit["m"], rel=1e-9) and warm[2]["entropy"] == pytest.approx(limit["entropy"], rel=1e-8)


# ------------------------------------------------------------------ bounds


def test_entropy_of_binary_storage_lies_between_none_and_all():
    """Below capacity, in [0, log 2], falling with every pattern; the overlap rises."""
    module = catalog_module("binary_storage")
    found = [numbers(best(module, alpha=alpha, kappa=0.0)) for alpha in np.linspace(0.02, 0.83, 12)]
    entropies, overlaps = [f["entropy"] for f in found], [f["q"] for f in found]
    assert all(0 <= s <= math.log(2) for s in entropies) and all(a > b for a, b in zip(entropies, entropies[1:], strict=False))
    assert all(0 <= q <= 1 for q in overlaps) and all(a < b for a, b in zip(overlaps, overlaps[1:], strict=False))
    annealed = [math.log(2) * (1 - alpha) for alpha in np.linspace(0.02, 0.83, 12)]
    assert all(s <= a + 1e-12 for s, a in zip(entropies, annealed, strict=True))


SIGNS = ["logistic_sign", "hinge_sign", "square_sign", "exponential_sign", "bayes_sign", "bayes_sparse", "bayes_probit", "gibbs_sign"]


@pytest.mark.parametrize("name", SIGNS)
def test_errors_and_overlaps_are_possible(name):
    previous = 0.5
    for alpha in (0.3, 1.0, 3.0, 8.0):
        found = numbers(best(catalog_module(name), alpha=alpha))
        assert 0 <= found["generalization_error"] <= previous
        assert -1 <= found["overlap"] <= 1
        assert found.get("training_error", 0.0) <= found["generalization_error"]
        assert found["estimation_mse"] >= -1e-12
        previous = found["generalization_error"]


@pytest.mark.parametrize("name", ["logistic_sign", "hinge_sign", "square_sign", "exponential_sign"])
@given(alpha=ALPHA)
@FEW
def test_no_student_beats_the_bayes_rule(name, alpha):
    rule = numbers(best(catalog_module("bayes_sign"), alpha=alpha))["generalization_error"]
    assert numbers(best(catalog_module(name), alpha=alpha))["generalization_error"] >= rule - 1e-12


# ------------------------------------------------------------------ how it was found


@pytest.mark.parametrize("name", ["logistic_sign", "hinge_sign", "bayes_sign", "gibbs_sign", "spherical_storage", "lasso"])
@given(
    alpha=st.integers(3, 12).map(lambda k: k / 10), tilt=st.lists(st.integers(-60, 150), min_size=6, max_size=6),
    sweeps=st.sampled_from([0, 3, 400]),
)
@FEW
def test_the_result_does_not_depend_on_the_start(name, alpha, tilt, sweeps):
    """Starts up to 2.5 times off, with few or many sweeps of the plain map before Newton's method."""
    module = catalog_module(name)
    expected = best(module, alpha=alpha)
    problem = Problem(module)
    point = problem.point({"alpha": alpha})
    begin = np.array([[float(expected.unknowns[u]) * (1 + t / 100) for u, t in zip(problem.names, tilt, strict=False)]])
    if "V" in expected.unknowns and name in ("gibbs_sign", "spherical_storage", "bayes_sign"):
        begin[0, problem.names.index("V")] = min(begin[0, problem.names.index("V")], 0.95)
    march = problem.march(np.array([[point[c] for c in problem.controls]]), begin, TOLERANCE, sweeps)
    if march.status[0] != 0:  # a start outside the domain may be refused, never answered wrongly
        return
    assert march.unknowns[0] == pytest.approx([float(expected.unknowns[u]) for u in problem.names], rel=1e-9)


def test_convergence_from_most_starts():
    """The escape above is rarely taken: nine in ten starts within a factor of two converge."""
    module = catalog_module("logistic_sign")
    problem, expected = Problem(module), best(module)
    rng, count, count_of_starts = np.random.default_rng(1), 0, 0
    base = np.array([float(expected.unknowns[u]) for u in problem.names])
    m, q = problem.names.index("m"), problem.names.index("q")
    while count_of_starts < 20:
        begin = (base * rng.uniform(0.5, 2.0, len(base)))[None]
        if begin[0, m] ** 2 >= 0.95 * begin[0, q]:  # no such pair of vectors
            continue
        count_of_starts += 1
        count += problem.march(np.array([[expected.at[c] for c in problem.controls]]), begin, TOLERANCE, 400).status[0] == 0
    assert count >= 18


def test_every_start_of_a_theory_finds_the_same_set():
    module = catalog_module("bayes_sign")
    alone = [numbers(s)["q"] for name in ("uninformed", "informed") for s in solve(module, {"alpha": 2.0}, starts=(name,)) if s.converged]
    assert alone and max(alone) - min(alone) < 1e-10
