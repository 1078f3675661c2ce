"""What theories of one-pass learning promise: generic equations, one line for what cannot be derived, a status for what diverges."""

import re

import numpy as np
import pytest
import sympy as sp

from numerics.flow.trajectory import trajectory
from numerics.status import Status
from replica.derive import Underivable, derive
from replica.latex import to_json
from replica.spec import Spec, catalog, load
from replica.theory import Flow
from tests.properties.flows import committee, drawn, flow_of

ONLINE = sorted(name for name, path in catalog().items() if "online_sgd" in path.read_text())


@pytest.mark.parametrize("name", ONLINE)
def test_catalog_flows_derive_and_print(name):
    theory = derive(load(name))
    assert isinstance(theory.system, Flow)
    document = theory.latex(steps=True)
    assert document.count("{") == document.count("}") and "\\sum_{" in document
    text = theory.text(steps=True)
    for hidden in ("SoftSign", "Bell(", "Dummy", "Indexed", "Moment("):
        assert hidden not in text
    assert to_json(theory)["unknowns"][0]["name"] == "Q"
    assert {step.assumption for step in theory.trail if step.assumption is not None} <= set(theory.assumptions)


@pytest.mark.parametrize(("activation", "kernels"), [("erf", 4), ("relu", 12)])
def test_equations_are_never_unrolled(activation, kernels):
    small, large = (derive(Spec.from_toml(committee(activation, activation, m=m))).system for m in (2, 7))
    assert len(small.kernels) == len(large.kernels) == kernels and not small.nodes
    assert [len(str(d.value)) for d in small.program] == [len(str(d.value)) for d in large.program]


def test_definitions_mention_known_arrays_only():
    flow = derive(Spec.from_toml(committee(trained=True))).system
    known = {a.base for a in (*flow.unknowns, *flow.parameters, *flow.scratch)}
    for definition in (*flow.program, *flow.equations, *flow.readout):
        assert {e.base for e in (definition.value + definition.target).atoms(sp.Indexed)} - known <= {
            sp.IndexedBase("lambda"), sp.IndexedBase("nu")
        }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda t: t.replace('"K", activation = "erf"', '"K", activation = "sign"'), "too rough|no function|does not exist"),
        (lambda t: t.replace('"square"', '"square"\nregularizer = { kind = "ridge", strength = 1 }'), "takes 'decay' in its protocol"),
        (lambda t: t.replace('"square"', '"square"\nstart = { width = 2 }'), "'width' is not known"),
        (lambda t: t + '[data]\nlaw = { kind = "tokens" }\n', "tokens"),
    ],
)
def test_what_has_no_theory_is_said_in_one_line(change, sentence):
    with pytest.raises((Underivable, ValueError), match=sentence) as caught:
        derive(Spec.from_toml(change(committee())))
    assert "\n" not in str(caught.value)


def test_a_rate_that_is_too_large_diverges_and_says_when():
    flow = flow_of(committee("quadratic", "quadratic", m=1))
    found = trajectory(flow, {"alpha": 100.0, "eta": 2.0, "K": 1}, [0.001, 50.0, 100.0], start=drawn(1, 1))
    assert found.status is Status.DIVERGED and not found.ok
    assert 0 < found.time < 50 and np.all(np.isfinite(found.last["Q"]))
    assert len(found.times) == 1


@pytest.mark.parametrize(
    ("times", "at", "sentence"),
    [
        ([2.0, 1.0], {}, "times must increase"),
        ([2000.0], {}, "between 0 and 1000"),
        ([1.0], {"nu": 1.0}, "'nu' is not a control"),
    ],
)
def test_bad_requests(times, at, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        trajectory(flow_of(committee()), at, times)


def test_starts_are_drawn_or_given():
    flow = flow_of(committee())
    one = trajectory(flow, {}, [0.0], size=500, seed=3)
    same = trajectory(flow, {}, [0.0], size=500, seed=3)
    far = trajectory(flow, {}, [0.0], size=None)
    np.testing.assert_array_equal(one.arrays["Q"], same.arrays["Q"])
    np.testing.assert_array_equal(far.arrays["Q"][0], np.eye(2))
    assert 0 < np.abs(one.arrays["R"]).max() < 0.3 and not far.arrays["R"].any()
    with pytest.raises(ValueError, match="must have shape"):
        trajectory(flow, {}, [0.0], start={"Q": np.eye(3)})


def test_trajectories_are_labelled():
    data = trajectory(flow_of(committee()), {}, [0.5, 1.0]).to_xarray()
    assert data["Q"].dims == ("time", "unit", "unit_") and data["R"].dims == ("time", "unit", "direction")
    assert list(data["direction"].values) == ["teacher_1", "teacher_2"]
    assert data.attrs["at.eta"] == 0.2
