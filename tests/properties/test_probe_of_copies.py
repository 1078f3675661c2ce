"""A probe around one of several real replicas that are held together, and what stages refuse."""

from __future__ import annotations

import pytest

from numerics.compile import Module, compile_theory
from numerics.solve import solve
from replica.derive import Underivable, derive
from replica.spec import Spec

SPEC = """
format = 1
name = "around one of several"
[learner.reference]
protocol = {{ kind = "gibbs", beta = inf }}
prior = "binary"
loss = "theta"
{copies}
{learners}
[[stage]]
name = "first"
learners = {first}
[[stage]]
name = "second"
learners = {second}
{more}
[controls]
alpha = {{ value = 0.4, domain = "(0, inf)" }}
{controls}
"""
COPIES = 'copies = "many"\ncouple = { to = "reference", overlap = "mutual" }'
CONTROLS = 'many = { value = 3, domain = "[1, inf]" }\nmutual = { value = 0.8, domain = "(0, 1)" }'


def learner(name: str, to: str, more: str = "") -> str:
    return f'[learner.{name}]\nlike = "reference"\ncouple = {{ to = "{to}", overlap = 0.8 }}\n{more}\n'


def spec(copies="", learners=None, first='["reference"]', second='["probe"]', more="", controls="") -> Spec:
    learners = learner("probe", "reference", "copies = 1" if copies else "") if learners is None else learners
    return Spec.from_toml(SPEC.format(**locals()))


def local_entropy(module: Module, **at: float) -> float:
    (found,) = solve(module, at, all_solutions=False)
    assert found.converged, found.sentence
    return float(found["local_entropy"])


@pytest.mark.slow
def test_copies_that_are_one_or_that_nothing_holds_are_a_reference_alone():
    (alone,) = solve(compile_theory(derive(spec())), all_solutions=False)
    one, module = float(alone["local_entropy"]), compile_theory(derive(spec(copies=COPIES, controls=CONTROLS)))
    near = [local_entropy(module, many=1 + h) - one for h in (2e-3, 1e-3)]
    assert 0 < near[1] < near[0] < 1e-3 and abs(2 * near[1] - near[0]) < 1e-2 * near[0]
    own = float(alone["q[reference,reference]"])  # two that do not know of each other
    loose = [local_entropy(module, mutual=own + h) - one for h in (0.02, 0.01)]
    assert 0 < loose[1] < loose[0] and abs(2 * loose[1] - loose[0]) < 0.1 * loose[0]
    assert local_entropy(module) > one + 0.01  # where solutions are near to one another, there are more


OTHER = learner("probe", "reference") + learner("other", "reference")


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ({"learners": OTHER, "second": '["probe", "other"]'}, "one probe of it is built yet, found reference then probe other"),
        ({"learners": OTHER, "first": '["reference", "other"]'}, "one probe of it is built yet, found reference other then probe"),
        ({"learners": OTHER, "more": '[[stage]]\nname = "third"\nlearners = ["other"]'}, "3 stages .* a reference and its probe"),
        ({"learners": learner("probe", "reference", "copies = 3")}, "in the first stage, is built yet, found probe"),
        ({"copies": COPIES, "controls": CONTROLS.replace("value = 3", "value = inf")}, "infinitely many .* use a finite number"),
    ],
)
def test_what_stages_refuse_they_name(parts, sentence):
    with pytest.raises(Underivable, match=sentence):
        derive(spec(**parts))
