"""Mixtures, blocks, slices, features, stages: drawn as declared, trained to the minimum, measured under the names of theories."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from replica.spec import Spec
from replica.spec.errors import SpecError
from simulate.draw import draw
from simulate.draw.cells import inputs_of
from simulate.finite_size import Verdict
from simulate.instance import Unsupported
from simulate.learn.stages import solve
from simulate.measure import measure_all
from simulate.report import validate
from simulate.runs import simulate
from tests.finite_size.structured import ENTRIES, problem
from tests.finite_size.trained import trained
from tests.properties.test_structured import TOGETHER

GROUPS = """
format = 1
name = "three groups, two coupled students"
[latent.centroid]
prior = "gaussian"
[latent.rule]
prior = "gaussian"
overlap = { centroid = 0.3 }
[latent.other]
prior = { kind = "spherical", norm = 1 }
overlap = { centroid = -0.2, rule = "q_rule" }
[group.a]
share = 0.5
mean = { centroid = 1 }
variance = 0.5
label = { of = "rule", bias = 0.4, channel = "sign" }
[group.b]
share = 0.3
mean = { centroid = -1 }
label = { of = "other", channel = "sign" }
[group.c]
share = 0.2
mean = { centroid = 0.5, rule = -1 }
variance = 2
label = 1
[learner.first]
on = ["a", "c"]
protocol = "erm"
loss = { kind = "LOSS", weights = { c = 0.5 } }
regularizer = { kind = "ridge", strength = 0.1 }
network = { kind = "linear", bias = true }
[learner.second]
like = "first"
on = "b"
couple = { to = "first", strength = "gamma" }
[observables]
fair = { average = "heaviside(z_first)", on = "a" }
tpr = { average = "heaviside(z)", on = "a", given = "y > 0", learner = "first" }
ppv = { average = "heaviside(y)", on = "a", given = "z_first > 0" }
calibration = { average = "sigmoid(z) - heaviside(y)", on = "b", given = "z > 0", learner = "second" }
together = { kind = "agreement", between = ["first", "second"] }
alike = { cosine = ["first", "second"] }
[controls]
alpha = { value = 3.0, domain = "(0, inf)" }
q_rule = { value = 0.6, domain = "[-1, 1]" }
gamma = { value = 0.7, domain = "[0, inf)" }
"""

CURRICULUM = """
format = 1
name = "stages"
[block.kept]
fraction = "rho"
[block.pruned]
fraction = "1 - rho"
[teacher]
prior = "gaussian"
blocks = ["kept"]
channel = "sign"
[slice.easy]
alpha = 1.5
variance = { kept = 1, pruned = 0.25 }
[slice.hard]
alpha = 1.0
variance = { kept = 1, pruned = 4 }
corruption = { kind = "vp", abar = 0.5 }
[learner.large]
protocol = "erm"
loss = "logistic"
regularizer = { kind = "ridge", strength = 0.2 }
[learner.small]
protocol = "erm"
blocks = ["kept"]
loss = { formula = "log(1 + exp(-y*z)) + chi*(z - z_large)**2/2" }
regularizer = { formula = "0.1*w**2/2 + 0.05*(w - w_large)**2" }
[[stage]]
name = "one"
learners = "large"
on = "easy"
[[stage]]
name = "two"
learners = ["large", "small"]
couple = { to = "teacher", formula = "0.1*abs(w - w_teacher)" }
[controls]
rho = { value = 0.3, domain = "(0, 1)" }
chi = { value = 0.5, domain = "[0, 1]" }
"""


def of_groups(instance, *names):
    return np.array([group in names for _, group in instance.cells])[instance.arrays["cell"]]


def test_latents_have_the_declared_gram_matrix():
    spec = Spec.from_toml(GROUPS.replace("LOSS", "logistic"))
    truth = draw(spec.expand(), spec.at({"alpha": 0.01}), 40_000, 0).truth
    vectors = np.stack([truth[name] for name in ("centroid", "rule", "other")])
    np.testing.assert_allclose(vectors @ vectors.T / 40_000, [[1, 0.3, -0.2], [0.3, 1, 0.6], [-0.2, 0.6, 1]], atol=0.03)
    assert np.mean(truth["other"] ** 2) == pytest.approx(1, abs=1e-12)


def test_cells_have_their_shares_means_variances_and_labels():
    spec = Spec.from_toml(GROUPS.replace("LOSS", "logistic"))
    instance = draw(spec.expand(), spec.at({"alpha": 40.0}), 50, 1)
    x, y, truth = instance.arrays["x"], instance.arrays["y"], instance.truth
    for name, share, variance, mean in (("a", 0.5, 0.5, truth["centroid"]), ("c", 0.2, 2, 0.5 * truth["centroid"] - truth["rule"])):
        rows = of_groups(instance, name)
        assert rows.mean() == pytest.approx(share, abs=5 * np.sqrt(share / 2000))
        rest = x[rows] - mean / np.sqrt(50)
        assert np.mean(rest**2) == pytest.approx(variance, rel=5 * np.sqrt(2 / rest.size))
    a = of_groups(instance, "a")
    np.testing.assert_array_equal(y[a], np.sign(x[a] @ truth["rule"] / np.sqrt(50) + 0.4))
    assert np.all(y[of_groups(instance, "c")] == 1)


@pytest.mark.parametrize("loss", ["logistic", "hinge"])
def test_coupled_students_stand_at_the_minimum_of_the_declared_energy(loss):
    instance, outcome = trained(GROUPS.replace("LOSS", loss), 40)
    x, y = instance.arrays["x"] / np.sqrt(40), instance.arrays["y"]
    first, second = of_groups(instance, "a", "c"), of_groups(instance, "b")
    factor = np.where(of_groups(instance, "c"), 0.5, 1.0)

    def energy(w, b, v, c):
        def cost(margin):
            return np.logaddexp(0, -margin) if loss == "logistic" else np.maximum(0, 1 - margin)

        total = np.sum(factor[first] * cost(y[first] * (x[first] @ w + b))) + np.sum(cost(y[second] * (x[second] @ v + c)))
        return total + 0.05 * (w @ w + v @ v) + 0.35 * np.sum((w - v) ** 2)

    one, two = outcome.estimates["first"], outcome.estimates["second"]
    best = energy(one.mean, one.bias, two.mean, two.bias)
    assert best / 40 == pytest.approx(outcome.extras["energy"], rel=1e-10)
    rng = np.random.default_rng(0)
    for size in (1e-1, 1e-3):
        for _ in range(40):
            dw, dv, (db, dc) = rng.standard_normal(40), rng.standard_normal(40), rng.standard_normal(2)
            assert energy(one.mean + size * dw, one.bias + size * db, two.mean + size * dv, two.bias + size * dc) > best - 1e-9


def test_scikit_learn_finds_the_same_weights():
    text = GROUPS.replace("LOSS", "logistic").replace('couple = { to = "first", strength = "gamma" }', "").replace("gamma = {", "# {")
    instance, outcome = trained(text, 60)
    x, y = instance.arrays["x"] / np.sqrt(60), instance.arrays["y"]
    rows = of_groups(instance, "a", "c")
    judge = LogisticRegression(C=10.0, tol=1e-10, max_iter=10_000)
    judge.fit(x[rows], y[rows], sample_weight=np.where(of_groups(instance, "c"), 0.5, 1.0)[rows])
    np.testing.assert_allclose(outcome.estimates["first"].mean, judge.coef_[0], atol=2e-5)
    assert outcome.estimates["first"].bias == pytest.approx(judge.intercept_[0], abs=2e-5)


def test_random_features_and_scikit_learn_find_the_same_weights():
    spec, _, _ = problem(next(e for e in ENTRIES if e["group"] == "iii_rf" and e["settings"]["loss"] == "square"))
    spec = spec.expand()
    instance = draw(spec, spec.at(), 40, 0)
    estimate = solve([instance])[0].estimates["student"]
    phi = estimate.layers(instance.arrays["x"]) / np.sqrt(estimate.layers.width)
    judge = Ridge(alpha=1e-3, fit_intercept=False, solver="svd").fit(phi, instance.arrays["y"])
    np.testing.assert_allclose(estimate.mean, judge.coef_, rtol=1e-5, atol=1e-6)


def test_coupling_limits():
    text = GROUPS.replace("LOSS", "logistic")
    apart, close = trained(text, 30, gamma=0.0)[1].estimates, trained(text, 30, gamma=1e5)[1].estimates
    assert np.linalg.norm(close["first"].mean - close["second"].mean) < 1e-3 * np.linalg.norm(close["first"].mean)
    assert np.linalg.norm(apart["first"].mean - apart["second"].mean) > 0.1 * np.linalg.norm(apart["first"].mean)


def test_stages_see_the_past_and_never_the_future():
    instance, outcome = trained(CURRICULUM, 50)
    assert list(outcome.estimates) == ["large@one", "large@two", "small"]
    other = solve([replace(instance, at={**instance.at, "chi": 0.0})])[0].estimates
    np.testing.assert_array_equal(outcome.estimates["large@one"].mean, other["large@one"].mean)
    assert np.linalg.norm(outcome.estimates["small"].mean - other["small"].mean) > 1e-3
    small = outcome.estimates["small"].mean
    assert np.all(small[15:] == 0) and np.all(small[:15] != 0)

    x, y, w_teacher = instance.arrays["x"][:, :15] / np.sqrt(50), instance.arrays["y"], instance.truth["teacher"][:15]
    z_large = outcome.estimates["large@one"].field(instance.arrays["x"])
    w_large = outcome.estimates["large@one"].mean[:15]

    def energy(w):
        z = x @ w
        loss = np.logaddexp(0, -y * z) + 0.25 * (z - z_large) ** 2
        return np.sum(loss) + np.sum(0.05 * w**2 + 0.05 * (w - w_large) ** 2 + 0.1 * np.abs(w - w_teacher))

    best, rng = energy(small[:15]), np.random.default_rng(1)
    for size in (1e-1, 1e-3, 1e-5):
        assert all(energy(small[:15] + size * rng.standard_normal(15)) > best - 1e-10 for _ in range(40))


def test_names_say_learner_stage_and_block():
    runs = simulate(Spec.from_toml(CURRICULUM), sizes=(40,), seeds=2)
    assert not runs.failures
    for name in ("q[large@one,small]", "m[large@two@kept,teacher]", "q[large@two@pruned,large@two@pruned]", "energy[two]"):
        assert name in runs.observables
    assert not {"m[small@pruned,teacher]", "m[large@one@pruned,teacher]", "q[large@one@pruned,small@pruned]"} & set(runs.observables)
    whole = 0.3 * runs.values("m[small@kept,teacher]", 40)
    np.testing.assert_allclose(whole, runs.values("m[small,teacher]", 40), rtol=1e-12)


def test_declared_rates_are_frequencies_of_fresh_samples():
    instance, outcome = trained(GROUPS.replace("LOSS", "logistic"), 40)
    found = measure_all(instance, outcome, np.random.default_rng(0))
    part, rng = instance.spec.slices["all"], np.random.default_rng(1)
    drawn = {name: inputs_of(part.groups[name], part.law, instance.truth, instance.at, 40_000, 40, rng).seen for name in "abc"}
    z, other = ({k: outcome.estimates[name].field(x) for k, x in drawn.items()} for name in ("first", "second"))
    y = np.sign(drawn["a"] @ instance.truth["rule"] / np.sqrt(40) + 0.4)
    y_b = np.sign(drawn["b"] @ instance.truth["other"] / np.sqrt(40))
    sure = other["b"] > 0
    expected = {
        "fair": np.mean(z["a"] > 0),
        "tpr": np.mean(z["a"][y > 0] > 0),
        "ppv": np.mean(y[z["a"] > 0] > 0),
        "calibration": np.mean(1 / (1 + np.exp(-other["b"][sure])) - (y_b[sure] > 0)),
        "together": sum(share * np.mean(z[k] * other[k] > 0) for k, share in (("a", 0.5), ("b", 0.3), ("c", 0.2))),
        "alike": found["q[first,second]"] / np.sqrt(found["q[first,first]"] * found["q[second,second]"]),
    }
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, abs=0.015), name


def test_a_covariance_has_its_spectrum_and_its_teacher():
    law = '{ kind = "covariance", eigenvalues = [0.5, "top"], fractions = [0.75, 0.25], loadings = [1, 3] }'
    text = f"""
format = 1
name = "spectrum"
[teacher]
prior = "gaussian"
channel = "sign"
[data]
law = {law}
[student]
protocol = "erm"
loss = "square"
regularizer = {{ kind = "ridge", strength = 0.1 }}
[controls]
alpha = {{ value = 2.0, domain = "(0, inf)" }}
top = {{ value = 4.0, domain = "[0, inf)" }}
"""
    instance, _ = trained(text, 2000, alpha=0.05)
    x, teacher = instance.arrays["x"], instance.truth["teacher"]
    assert np.mean(x[:, :1500] ** 2) == pytest.approx(0.5, rel=0.03) and np.mean(x[:, 1500:] ** 2) == pytest.approx(4, rel=0.03)
    assert np.mean(teacher[:1500] ** 2) == pytest.approx(1, rel=0.2) and np.mean(teacher[1500:] ** 2) == pytest.approx(3, rel=0.3)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (('gamma" }', 'gamma" }\nself_overlap = 1'), "a learner with 'self_overlap' cannot be trained yet"),
        (('strength = "gamma"', 'overlap = "gamma"'), "by 'overlap' cannot be trained yet"),
        (('strength = "gamma"', 'formula = "gamma*w*w_first"'), "is no function of w - w_first"),
        (('{ kind = "spherical", norm = 1 }', '"laplace"'), "does not say its joint law"),
    ],
)
def test_what_cannot_be_drawn_or_trained_says_so(change, sentence):
    text = GROUPS.replace("LOSS", "logistic")
    assert change[0] in text
    with pytest.raises(Unsupported, match=sentence):
        trained(text.replace(*change), 20)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("variance = { kept = 1, pruned = 4 }", 'law = { kind = "covariance", eigenvalues = [0, "0*rho"] }'), "the spectrum is singular"),
        (('channel = "sign"', 'channel = "sign"\noverlap = { u = 0.25 }\n[latent.u]\nprior = "gaussian"'), "PASSES"),
        (('channel = "sign"', 'channel = "sign"\noverlap = { u = 0.4 }\n[latent.u]\nprior = "gaussian"'), "impossible .* in block 'kept'"),
    ],
)
def test_what_cannot_exist_is_refused_when_a_spec_is_read(change, sentence):
    assert change[0] in CURRICULUM
    if sentence == "PASSES":
        assert Spec.from_toml(CURRICULUM.replace(*change)).name
        return
    with pytest.raises(SpecError, match=sentence):
        Spec.from_toml(CURRICULUM.replace(*change))


def test_an_empty_class_is_refused_when_a_spec_is_read():
    text = GROUPS.replace("LOSS", "logistic").replace("share = 0.3", "share = 0").replace("share = 0.2", "share = 0.5")
    with pytest.raises(SpecError, match="'b' is empty: its share is 0"):
        Spec.from_toml(text)


@pytest.mark.slow
def test_two_learners_of_the_same_samples_meet_their_theory():
    spec = Spec.from_toml(TOGETHER.format(first='"logistic"', second='"hinge"'))
    report = validate(spec, sizes=[200, 400], seeds=16)
    assert report.verdict is Verdict.AGREES, str(report)
