"""What shorthand means, what identity means, and what controls and sweeps give."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from replica import ansatz, channels, laws, losses, priors, protocols, regularizers
from replica.spec import Control, Data, Run, Spec, SpecError, Student, Teacher, grid, load
from replica.symbols import Domain

SPECS = Path(__file__).parents[1] / "specs"
HEAD = 'format = 1\nname = "x"\n'
STUDENT = '[student]\nprotocol = "erm"\nloss = "square"\n'
ALPHA = "[controls]\nalpha = { value = 1 }\n"


def test_the_python_of_the_reference_equals_the_file():
    spec = Spec(
        name="logistic regression, sign teacher",
        teacher=Teacher(prior=priors.Gaussian(variance=1), channel=channels.Sign()),
        student=Student(protocol=protocols.ERM(), loss=losses.Formula("log(1 + exp(-y*z))"), regularizer=regularizers.Ridge("lambda")),
        data=Data(law=laws.Gaussian()), ansatz=ansatz.RS(),
        controls={"alpha": Control(value=2.0, domain="(0, inf)"), "lambda": Control(value=0.1, domain="(0, inf)")},
        run=Run(sweep={"alpha": "0.2:6:30"}, sizes=[250, 500, 1000], seeds=16),
    )
    assert spec == Spec.from_toml(SPECS / "c00_example.toml")


def test_teacher_and_default_cell():
    full = Spec.from_toml(HEAD + '[teacher]\nprior = "binary"\nchannel = "sign"\nbias = 0.5\n' + STUDENT + ALPHA).expand()
    cell = full.slices["all"].groups["all"]
    assert full.latents["teacher"].prior == priors.Binary()
    assert (cell.label.of, cell.label.channel, cell.label.bias, cell.share, cell.variance) == ("teacher", channels.Sign(), 0.5, 1, 1)
    assert full.slices["all"].alpha == "alpha"
    assert full.learners["student"].regularizer == regularizers.Zero()
    assert (full.stages[0].name, full.stages[0].learners, full.stages[0].on) == ("train", ("student",), ("all",))
    assert full.ansatz == ansatz.RS()


def test_without_teacher_the_labels_are_random_signs():
    cell = load("binary_storage").expand().slices["all"].groups["all"]
    assert cell.label.random
    assert cell.label.value == "random"


def test_precedence_is_slice_then_group_then_data():
    text = HEAD + STUDENT + ALPHA + (
        "[data]\nvariance = 1\nlabel = 7\n[group.a]\nshare = 0.5\nvariance = 2\n[group.b]\nshare = 0.5\n"
        "[slice.one]\n[slice.two]\nvariance = 3\n[slice.two.groups.b]\nvariance = 4\n"
    )
    slices = Spec.from_toml(text).expand().slices
    assert {name: [cell.variance for cell in part.groups.values()] for name, part in slices.items()} == {"one": [2, 1], "two": [3, 4]}
    assert {cell.label.value for part in slices.values() for cell in part.groups.values()} == {7}


def test_like_copies_a_table_under_the_keys_written():
    learners = Spec.from_toml(SPECS / "p12_distillation.toml").expand().learners
    assert learners["small"].protocol == learners["large"].protocol
    assert learners["small"].network == learners["large"].network
    assert learners["small"].blocks == ("kept",)
    assert learners["large"].blocks == ("kept", "pruned")


def test_franz_parisi_becomes_a_reference_and_a_probe():
    full = Spec.from_toml(SPECS / "p19_local_entropy.toml").expand()
    assert [stage.learners for stage in full.stages] == [("reference",), ("probe",)]
    (term,) = full.learners["probe"].couple
    assert (term.to, term.overlap) == ("reference", "1 - 2*distance")
    assert full.learners["reference"].couple is None


def test_robust_ensemble_becomes_a_centre_and_its_copies():
    full = Spec.from_toml(SPECS / "p20_dense_clusters.toml").expand()
    assert full.learners["centre"].loss == losses.Zero()
    assert full.learners["solution"].copies == "y_real"
    assert full.learners["solution"].loss == losses.Theta(margin=0)
    assert full.learners["solution"].couple[0].to == "centre"


def test_ensemble_with_a_coupling_equals_the_long_form():
    short = HEAD + ('[student]\nprotocol = { kind = "gibbs", beta = 1 }\nprior = "binary"\nloss = "theta"\n'
                    'ensemble = { kind = "robust", y = 3, coupling = "gamma", constrained = false }\n')
    long = HEAD + ('[learner.centre]\nprotocol = { kind = "gibbs", beta = 1 }\nprior = "binary"\nloss = "zero"\n'
                   '[learner.solution]\nlike = "centre"\nloss = "theta"\ncopies = 3\n'
                   'couple = { to = "centre", log_weight = "(gamma)*w*w_centre" }\n')
    controls = ALPHA + "gamma = { value = 1 }\n"
    assert Spec.from_toml(short + controls).fingerprint == Spec.from_toml(long + controls).fingerprint


SAME = [
    ('prior = "gaussian"', 'prior = { kind = "gaussian", variance = 1.0 }'),
    ('loss = "square"', 'loss = { kind = "square" }\nregularizer = "zero"\nnetwork = "linear"\ncopies = 1'),
    ("[controls]", '[data]\nalpha = "alpha"\nvariance = 1\n[controls]'),
    ("value = 1 ", 'value = 5, meaning = "ratio" '),
    ("[controls]", '[ansatz]\nkind = "rsb"\nx = "x"\n[controls]\nx = { value = 1 }'),
    ("[controls]", "[run]\nsizes = [3]\n[controls]"),
    ("[controls]", '[observables]\ne = { average = "y*z*gain" }\n[controls]\ngain = { value = 1 }'),
    ("[controls]", '[[stage]]\nname = "train"\nlearners = "student"\n[controls]'),
]
OTHER = [
    ('prior = "gaussian"', 'prior = { kind = "gaussian", variance = 2 }'),
    ('loss = "square"', 'loss = "huber"'),
    ("value = 1 ", 'value = 1, domain = "(0, 3)" '),
    ("[controls]", "[data]\nvariance = 2\n[controls]"),
    ('channel = "sign"', 'channel = "sign"\nbias = 1'),
]
MODEL = HEAD + '[teacher]\nprior = "gaussian"\nchannel = "sign"\n' + STUDENT + ALPHA


@pytest.mark.parametrize(("old", "new"), SAME)
def test_one_model_has_one_fingerprint(old, new):
    assert old in MODEL
    assert Spec.from_toml(MODEL.replace(old, new)).fingerprint == Spec.from_toml(MODEL).fingerprint


@pytest.mark.parametrize(("old", "new"), OTHER)
def test_another_model_has_another_fingerprint(old, new):
    assert old in MODEL
    assert Spec.from_toml(MODEL.replace(old, new)).fingerprint != Spec.from_toml(MODEL).fingerprint


def test_controls_at_a_point():
    text = MODEL + 'beta = { formula = "2*gamma" }\ngamma = { formula = "alpha + 1" }\n[data]\nvariance = "beta"\n'
    spec = Spec.from_toml(text)
    assert spec.at() == {"alpha": 1.0, "beta": 4.0, "gamma": 2.0}
    assert spec.at({"alpha": 3}) == {"alpha": 3.0, "beta": 8.0, "gamma": 4.0}
    assert {name: symbol.is_real for name, symbol in spec.symbols().items()} == {"alpha": True, "beta": True, "gamma": True}
    with pytest.raises(SpecError, match="is derived from other controls"):
        spec.at({"beta": 1.0})
    with pytest.raises(SpecError, match=r"derived from itself \(beta -> gamma -> beta\)"):
        Spec.from_toml(text.replace('"alpha + 1"', '"beta"'))


def test_solved_control_keeps_its_condition():
    control = Spec.from_toml(SPECS / "p20_dense_clusters.toml").controls["y_real"]
    assert control.condition == ("complexity", 0.0)
    assert control.range == Domain(1.0, math.inf, True, False)


def test_grids():
    np.testing.assert_array_equal(grid("0:1:5"), [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(grid("log:0.1:10:3"), [0.1, 1, 10], rtol=1e-15)
    assert grid([3, 1]) == (3.0, 1.0)
    assert grid("2:5:1") == (2.0,)
    for bad in ("1:2", "log:0:1:3", "0:1:0", "0:1:2.5", "0:inf:3", "a:b:c", [], "0:1:1e9", ["x"], True, None):
        with pytest.raises(SpecError):
            grid(bad)


def test_points_of_a_sweep_form_a_grid():
    run = Run(sweep={"a": [1, 2], "b": "0:1:2"})
    assert run.points() == ({"a": 1.0, "b": 0.0}, {"a": 1.0, "b": 1.0}, {"a": 2.0, "b": 0.0}, {"a": 2.0, "b": 1.0})
    assert Run().points() == ({},)
