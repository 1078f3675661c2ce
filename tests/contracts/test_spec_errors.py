"""Typical mistakes: each gives the one line that names place, finding, and what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from replica.spec import Spec, SpecError, load

SPECS = Path(__file__).parents[1] / "specs"
EXAMPLE, DISTILL, GROUPS, STAGES, ONLINE, LOCAL = (
    "c00_example", "p12_distillation", "p02a_bias_geometries", "p10a_curriculum_batch", "p10b_curriculum_online", "p19_local_entropy",
)

MISTAKES = [
    # TOML and format
    (EXAMPLE, "[teacher]", "[teacher", "my.toml:5: column 9: not TOML: Expected ']' at the end of a table declaration"),
    (EXAMPLE, "format = 1\n", "", "my.toml: needs 'format = 1' as its first line"),
    (EXAMPLE, "format = 1", "format = 2", "my.toml:2: format: format 2 is later than this program reads (at most 1); install a newer one"),
    (EXAMPLE, "format = 1", 'format = "1"', "my.toml:2: format: must be 1, found '1'"),
    # keys and kinds
    (EXAMPLE, "regularizer", "regulariser",
     "my.toml:12: student.regulariser: key 'regulariser' is not known here; did you mean 'regularizer'? (takes: like on"),
    (EXAMPLE, "[ansatz]", "[anzatz]", "my.toml:17: anzatz: key 'anzatz' is not known here; did you mean 'ansatz'?"),
    (EXAMPLE, "variance = 1", "sigma = 1",
     "my.toml:6: teacher.prior: prior 'gaussian' has no parameter 'sigma' (takes: mean variance covariance)"),
    (EXAMPLE, '"sign"', '"sgn"', "my.toml:7: teacher.channel: channel 'sgn' is not known here; did you mean 'sign'? (kinds: "),
    (EXAMPLE, 'kind = "rs"', 'kind = "rss"',
     "my.toml:17: ansatz: ansatz 'rss' is not known here; did you mean 'rs'? (kinds: annealed rs rsb)"),
    (EXAMPLE, 'kind = "rs"', 'kind = "rs"\nk = 2', "my.toml:17: ansatz: ansatz 'rs' has no parameter 'k' (takes: none)"),
    (EXAMPLE, '{ kind = "ridge", strength = "lambda" }', "3", "my.toml:12: student.regularizer: must be a regularizer (kinds: "),
    (EXAMPLE, 'kind = "ridge", ', "", "my.toml:12: student.regularizer: a regularizer needs 'kind' ("),
    (EXAMPLE, 'prior   = { kind = "gaussian", variance = 1 }', "", "my.toml:5: teacher: needs 'prior'"),
    (EXAMPLE, "[data]", "[data]\nsamples = 3\nalpha = 2", "my.toml:14: data: takes 'alpha' or 'samples', not both"),
    (EXAMPLE, "sizes = [250, 500, 1000]", "sizes = 250",
     "my.toml:26: run.sizes: must be a list of dimensions such as [250, 500, 1000], found 250"),
    (EXAMPLE, "seeds = 16", "seeds = 0", "my.toml:27: run.seeds: must be a positive integer, found 0"),
    (EXAMPLE, "6:30", "6",
     "my.toml:25: run.sweep.alpha: '0.2:6' is not a series; write 'start:stop:count', 'log:start:stop:count' or a list of numbers"),
    (EXAMPLE, '"(0, inf)" }\nlambda', '"(0, inf" }\nlambda',
     "my.toml:21: controls.alpha.domain: '(0, inf' is not a domain; write '(0, inf)'"),
    (STAGES, 'strength = "gamma"', 'strength = "gamma", overlap = 1',
     "my.toml:33: stage[2].couple: takes exactly one of strength formula log_weight overlap, found strength overlap"),
    # names and formulas
    (EXAMPLE, '"lambda" }', '"lamda" }',
     "my.toml:12: student.regularizer.strength: column 1: 'lamda' is not known here; did you mean 'lambda'? (declare it under [controls])"),
    (EXAMPLE, "1 + exp(-y*z)", "1 + exp(-y^z)", "my.toml:11: student.loss.formula: column 15: '^' is not a power here, write **"),
    (EXAMPLE, "exp(-y*z))", "exp(-y*z)", "my.toml:11: student.loss.formula: column 4: the brackets do not match (2 opened, 1 closed)"),
    (EXAMPLE, "y*z", "y*q", "my.toml:11: student.loss.formula: column 16: 'q' is not known here (known: "),
    (EXAMPLE, "lambda = {", "y = {", "my.toml:22: controls.y: 'y' is a word of the formula language; choose another name"),
    (EXAMPLE, "lambda = {", "teacher = {",
     "my.toml:5: teacher: 'teacher' is a control already; learners, latents, stages and controls share one set"),
    (EXAMPLE, "{ alpha =", "{ alfa =",
     "my.toml:25: run.sweep.alfa: control 'alfa' is not known here; did you mean 'alpha'? (known: alpha lambda)"),
    (EXAMPLE, "[student]", '[student]\non = "easy"', "my.toml:10: student.on: slice or group 'easy' is not known here (known: all)"),
    (GROUPS, "mean  = { centroid = -1 }", "mean  = { centrod = -1 }",
     "my.toml:21: group.minor.mean.centrod: latent 'centrod' is not known here; did you mean 'centroid'?"),
    (GROUPS, "minor / positive_major", "minor / positive_majr",
     "my.toml:41: observables.disparate_impact.formula: column 18: 'positive_majr' is not known"),
    (DISTILL, 'like = "large"', 'like = "small"', "my.toml:32: learner.small.like: a learner cannot be like itself (small -> small)"),
    (DISTILL, 'y*z)", learner = "small"', 'y*z)"',
     "my.toml:49: observables.error_small.average: 'z' of which learner? write learner = NAME, or z_NAME"),
    # causality and what protocols take
    (DISTILL, '[[stage]]\nname = "pretrain"\nlearners = "large"\n[[stage]]\nname = "distill"\nlearners = "small"\n', "",
     "my.toml:31: learner.small: uses the output of 'large', which is trained at the same time; put 'large' in an earlier [[stage]] "
     "(only 'couple' joins learners of one stage)"),
    (DISTILL, 'learners = "small"', 'learners = "large"', "my.toml:31: learner.small: is trained in no [[stage]]"),
    (STAGES, 'to = "first"', 'to = "second"',
     "my.toml:33: stage[2].couple: couples to stage 'second', which is not earlier than stage 'second'"),
    (EXAMPLE, '"erm" }', '"bayes" }', "my.toml:11: student.loss: a learner with protocol 'bayes' takes no loss, it uses the true law"),
    (EXAMPLE, 'loss        = { formula = "log(1 + exp(-y*z))" }', "", "my.toml:9: student: a learner with protocol 'erm' needs a 'loss'"),
    (EXAMPLE, "[student]", '[student]\nnetwork = { kind = "transformer", layers = 1, width = 2 }',
     "my.toml:10: student.network: network 'transformer' has no theory and is only simulated; write theory = \"none\""),
    (EXAMPLE, "[student]", '[student]\nreason = "x"',
     "my.toml:10: student.reason: says why a learner has no theory; write theory = \"none\" beside it"),
    (EXAMPLE, "[student]", '[student]\ntarget = "root"', "my.toml:10: student.target: target 'root' needs the law tree, found 'gaussian'"),
    (EXAMPLE, 'alpha  = { value = 2.0, domain = "(0, inf)" }\nlambda', "lambda",
     "my.toml:24: run.sweep.alpha: control 'alpha' is not known here"),
    (ONLINE, 'time = "T/2"', "",
     "my.toml:15: slice.easy: has neither 'alpha' nor 'samples'; declare the control alpha under [controls], or write"),
    (ONLINE, "[controls]", '[ansatz]\nkind = "rs"\n[controls]', "my.toml:37: ansatz: no learner's theory is an average over replicas"),
    (STAGES, 'name = "second" ', 'time = 3\nname = "second"', "my.toml:31: stage[2].time: 'time' is for flows and one-pass learning"),
    (LOCAL, "[controls]", '[[stage]]\nname = "train"\n[controls]',
     "my.toml:9: student.ensemble: writes its own stages; take [[stage]] out"),
    (STAGES, '{ relevant = 1, irrelevant = "Delta_easy" }', '{ irrelevant = "Delta_easy" }',
     "my.toml:17: slice.easy.variance: gives irrelevant; every block needs one: relevant irrelevant"),
    (EXAMPLE, "[data]", '[data]\nlabel = { channel = "sign" }',
     "my.toml:15: data.label: the channel 'sign' reads a field; say of = LATENT"),
    ("c03_bayes_perceptron", '[teacher]\nprior   = "binary"\nchannel = "sign"', "",
     "my.toml:6: student: a learner with protocol 'bayes' needs labels with a law"),
    # values, shares, overlaps, unused controls
    (EXAMPLE, "value = 0.1", "value = -0.1", "my.toml:22: controls.lambda.value: -0.1 lies outside the domain (0, inf)"),
    (EXAMPLE, "variance = 1", "variance = -1", "my.toml:6: teacher.prior: Gaussian: variance must lie in (0, inf), got variance=-1."),
    (EXAMPLE, '{ value = 2.0, domain = "(0, inf)" }', "{ value = -2.0 }",
     "my.toml:21: controls.alpha: -2 lies outside the domain (0, inf]; alpha is samples"),
    (EXAMPLE, '"0.2:6:30"', '"0:6:30"', "my.toml:25: run.sweep.alpha: 0 lies outside the domain (0, inf)"),
    (EXAMPLE, "[student]", "[student]\ncopies = 0.5", "my.toml:10: student.copies: 0.5 lies outside the domain [1, inf]"),
    (GROUPS, 'share = "1 - rho"', 'share = "rho"',
     "my.toml: group: the shares of major minor must add up to 1 at the controls, found 0.8 + 0.8 = 1.6"),
    (DISTILL, 'fraction = "1 - eta"', 'fraction = "eta/2"',
     "my.toml: block: the fractions of kept pruned must add up to 1 at the controls, found"),
    (GROUPS, "m_major = { value = 0.2", "m_major = { value = 1.0",
     "my.toml: latent: the overlaps of centroid rule_major rule_minor are impossible at the default controls (their Gram"),
    ("c07_sk", 'k = 1\nx = "free"', "k = 2\nx = 0.5",
     'my.toml:11: ansatz: RSB: with k = 2 x is a list of 2 Parisi parameters, outermost first, or "free"; found 1.'),
    ("c07_sk", 'k = 1\nx = "free"', 'k = 2\nx = ["free", "free", 0.5]',
     'my.toml:11: ansatz: RSB: with k = 2 x is a list of 2 Parisi parameters, outermost first, or "free"; found 3.'),
    ("c07_sk", 'k = 1\nx = "free"', 'k = 3\nx = [0.5, "free", 0.3]',
     "my.toml:11: ansatz: RSB: Parisi parameters ascend from the outermost to the innermost step, x has 0.5 before 0.3."),
    ("c07_sk", 'k = 1\nx = "free"', 'k = "beta"\nx = 0.5',
     "my.toml:11: ansatz: RSB: k, the number of steps, must be a whole number and no expression of controls, found 'beta'."),
    ("c07_sk", 'k = 1\nx = "free"', 'k = 1\nx = "Free"', "my.toml:14: ansatz.x: 'Free' is no Parisi parameter; did you mean 'free'?"),
    ("c07_sk", 'k = 1\nx = "free"', 'k = 2\nx = [0.5, "0.8/beta"]',
     "my.toml:14: ansatz.x[2]: Parisi parameters ascend from the outermost to the innermost step, found 0.5 before 0.4"),
    (EXAMPLE, "[run]", "gamma = { value = 1.0 }\n[run]",
     "my.toml:24: controls.gamma: is used nowhere in the model; take it out, or mention it"),
]


@pytest.mark.parametrize(("stem", "old", "new", "line"), MISTAKES, ids=[f"{stem}-{number}" for number, (stem, *_) in enumerate(MISTAKES)])
def test_mistake_is_told_in_one_line(stem, old, new, line, tmp_path, monkeypatch):
    text = (SPECS / f"{stem}.toml").read_text()
    assert old in text
    monkeypatch.chdir(tmp_path)
    Path("my.toml").write_text(text.replace(old, new))
    with pytest.raises(SpecError) as caught:
        Spec.from_toml("my.toml")
    message = str(caught.value)
    assert message.startswith(line)
    assert message.isprintable()


@pytest.mark.parametrize("path", ["missing.toml", "."])
def test_file_that_cannot_be_read(path):
    with pytest.raises(SpecError, match="cannot be read"):
        Spec.from_toml(path)


def test_file_that_is_no_text(tmp_path):
    path = tmp_path / "noise.toml"
    path.write_bytes(b"format = 1\nname = \xff\xfe")
    with pytest.raises(SpecError, match=r"noise.toml:2: is not UTF-8 text"):
        Spec.from_toml(path)


def test_unknown_catalog_name_names_the_nearest():
    with pytest.raises(SpecError, match="'logistc_sign' is neither a file nor a name of the catalog; did you mean 'logistic_sign'"):
        load("logistc_sign")


def test_values_set_by_hand_are_checked():
    spec = load("huber_contaminated")
    assert spec.at({"eps": 1})["eps"] == 1.0
    with pytest.raises(SpecError, match=r"controls.eps: 1.5 lies outside the domain \[0, 1\]"):
        spec.at({"eps": 1.5})
    with pytest.raises(SpecError, match="control 'epsilon' is not known here; did you mean 'eps'"):
        spec.at({"epsilon": 0.5})


def test_overlaps_are_checked_again_at_every_point():
    spec = Spec.from_toml(SPECS / f"{GROUPS}.toml")
    with pytest.raises(SpecError, match="impossible at these controls"):
        spec.at({"m_major": 1.0, "m_minor": -1.0})


def test_mistake_in_python_has_the_same_sentence():
    from replica.spec import Control, Learner, Teacher

    with pytest.raises(SpecError, match=r"^student.regularizer.strength: column 1: 'lamda' is not known here"):
        Spec(
            name="typo", teacher=Teacher(prior="gaussian", channel="sign"),
            controls={"alpha": Control(value=1), "lambda": Control(value=1)},
            student=Learner(protocol="erm", loss="logistic", regularizer={"kind": "ridge", "strength": "lamda"}),
        )
