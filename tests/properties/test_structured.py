"""Identities of minimizers on structured data: what does not change when groups are merged, blocks split, couplings switched off.

The energy is stationary, so its slope in a control at the saddle point is the mean of what the control multiplies; and on plain data the
equations are those of the replica tree at zero temperature.
"""

from dataclasses import replace

import pytest

from numerics.compile import compile_theory
from numerics.solve import solve
from numerics.status import Status
from replica.derive import Underivable, derive
from replica.families.reading import control_names
from replica.families.staged.theory import theory as staged
from replica.spec import Spec, load
from replica.symbols import control_symbol

STUDENT = """
[student]
protocol = "erm"
loss = {loss}
regularizer = {penalty}
network = {{ kind = "linear", bias = {bias} }}
[controls]
alpha = {{ value = 1.7, domain = "(0, inf)" }}
lambda = {{ value = 0.3, domain = "(0, inf)" }}
"""
RIDGE = '{ kind = "ridge", strength = "lambda" }'
LATENTS = """
format = 1
name = "groups"
[latent.centroid]
prior = "gaussian"
[latent.rule]
prior = "gaussian"
overlap = { centroid = 0.2 }
"""


def group(name: str, share: float, mean: float, label: str, variance: float = 1) -> str:
    return f"[group.{name}]\nshare = {share}\nmean = {{ centroid = {mean} }}\nvariance = {variance}\nlabel = {label}\n"


def student(loss: str = '"logistic"', penalty: str = RIDGE, bias: str = "true") -> str:
    return STUDENT.format(loss=loss, penalty=penalty, bias=bias)


def point(text: str):
    found = solve(compile_theory(derive(Spec.from_toml(text))))[0]
    assert found.status.ok, found.status
    return {**found.order_parameters, **found.observables}


def same(one, other, *names: str, rel: float = 1e-9) -> None:
    for name in names:
        assert one[name] == pytest.approx(other[name], rel=rel, abs=1e-11), name


RULE = '{ of = "rule", channel = "sign" }'


@pytest.mark.parametrize("name", ["logistic_sign", "lasso"])
def test_plain_data_give_the_equations_of_the_tree(name):
    """The universal form of stages and the limit of the replica tree share no line of code."""
    spec = load(name) if name != "lasso" else load(name).changed(teacher=load("ridge_linear").teacher)
    tree = derive(spec)
    found = staged(spec.expand())
    found = found.xreplace({symbol: control_symbol(symbol.name) for symbol in control_names(spec).values()})
    one = solve(compile_theory(tree))[0]
    two = solve(compile_theory(replace(found, name="staged", fingerprint=f"staged {name}", spec=spec)))[0]
    same(
        {**one.order_parameters, **one.observables}, {**two.order_parameters, **two.observables}, "m", "q", "chi", "energy", "training_loss"
    )


def test_groups_that_are_alike_are_one_group():
    loss = '{ formula = "where(abs(y - z) < 1, (y - z)**2/2, abs(y - z) - 1/2)" }'
    two = LATENTS + group("a", 0.7, 1, RULE, 0.5) + group("b", 0.3, -1, "1") + student(loss)
    three = LATENTS + group("b", 0.3, -1, "1") + group("a1", 0.25, 1, RULE, 0.5) + group("a2", 0.45, 1, RULE, 0.5) + student(loss)
    names = ("m[student,centroid]", "m[student,rule]", "q", "chi", "bias", "energy", "training_loss")
    same(point(two), point(three), *names)


BLOCKS = """
format = 1
name = "blocks"
{blocks}
[teacher]
prior = "gaussian"
blocks = {where}
channel = "sign"
[data]
variance = {variance}
"""


@pytest.mark.parametrize("penalty", [RIDGE, '{ kind = "l1", strength = "lambda" }'])
def test_a_block_may_be_split(penalty):
    blocks = "[block.a]\nfraction = 0.4\n[block.b]\nfraction = 0.6\n"
    split = blocks.replace("[block.a]\nfraction = 0.4\n", "[block.a1]\nfraction = 0.1\n[block.a2]\nfraction = 0.3\n")
    whole = BLOCKS.format(blocks=blocks, where='["a"]', variance="{ a = 1.3, b = 0.4 }") + student(penalty=penalty, bias="false")
    parts = BLOCKS.format(blocks=split, where='["a1", "a2"]', variance="{ a1 = 1.3, a2 = 1.3, b = 0.4 }")
    one, two = point(whole), point(parts + student(penalty=penalty, bias="false"))
    same(one, two, "energy", "generalization_error", "training_error", "q[student@b]")
    assert two["q[student@a1]"] == pytest.approx(two["q[student@a2]"], rel=1e-9)
    assert two["q[student@a1]"] == pytest.approx(one["q[student@a]"], rel=1e-9)


PAIR = """
[learner.one]
on = "a"
protocol = "erm"
loss = "hinge"
regularizer = { kind = "ridge", strength = "lambda" }
[learner.two]
like = "one"
on = ["b", "c"]
couple = { to = "one", strength = "gamma" }
[controls]
alpha = { value = 1.7, domain = "(0, inf)" }
lambda = { value = 0.3, domain = "(0, inf)" }
gamma = { value = 0.8, domain = "[0, inf)" }
"""


def test_energy_is_stationary_for_coupled_learners_of_three_groups():
    """In no paper: three groups, two coupled students, hinge loss."""
    text = LATENTS + group("a", 0.5, 1, RULE) + group("b", 0.3, -1, RULE, 0.5) + group("c", 0.2, 0.5, "-1") + PAIR
    module = compile_theory(derive(Spec.from_toml(text)))

    def at(**controls):
        found = solve(module, {"lambda": 0.3, "gamma": 0.8, **controls})[0]
        assert found.status.ok, found.status
        return {**found.order_parameters, **found.observables}

    here, h = at(), 1e-3
    one, two, cross = here["q[one,one]"], here["q[two,two]"], here["q[one,two]"]

    def slope(name, value):
        return (8 * (at(**{name: value + h})["energy"] - at(**{name: value - h})["energy"])
                - (at(**{name: value + 2 * h})["energy"] - at(**{name: value - 2 * h})["energy"])) / (12 * h)  # fmt: skip

    assert slope("lambda", 0.3) == pytest.approx((one + two) / 2, rel=1e-7)
    assert slope("gamma", 0.8) == pytest.approx((one + two - 2 * cross) / 2, rel=1e-6)
    free = at(gamma=0.0)
    alone = point(LATENTS + group("a", 0.5, 1, RULE) + group("b", 0.3, -1, RULE, 0.5) + group("c", 0.2, 0.5, "-1")
                  + student('{ kind = "hinge", weights = { b = 0, c = 0 } }', bias="false"))  # fmt: skip
    assert free["q[one,one]"] == pytest.approx(alone["q"], rel=1e-8)
    assert free["m[one,rule]"] == pytest.approx(alone["m[student,rule]"], rel=1e-8)


CLOUDS = """
format = 1
name = "learners of two clouds"
[latent.centroid]
prior = "gaussian"
[group.a]
share = 0.5
mean = {{ centroid = 1 }}
label = 1
[group.b]
share = 0.5
mean = {{ centroid = -1 }}
label = -1
"""
TOGETHER = CLOUDS + """
[learner.one]
on = "a"
protocol = "erm"
loss = {first}
regularizer = {{ kind = "ridge", strength = 0.3 }}
[learner.two]
protocol = "erm"
loss = {second}
regularizer = {{ kind = "ridge", strength = 0.8 }}
couple = {{ to = "one", strength = "gamma" }}
[controls]
alpha = {{ value = 1.7, domain = "(0, inf)" }}
gamma = {{ value = 0.8, domain = "[0, inf)" }}
"""
ALONE = CLOUDS + """
[learner.one]
protocol = "erm"
loss = {{ {loss}, weights = {{ a = {a}, b = {b} }} }}
regularizer = {{ kind = "ridge", strength = {strength} }}
[controls]
alpha = {{ value = 1.7, domain = "(0, inf)" }}
"""


@pytest.mark.parametrize(
    "first, second",
    [
        ('{ kind = "square" }', '{ kind = "square" }'),
        pytest.param('{ kind = "logistic" }', '{ kind = "hinge" }', marks=pytest.mark.slow),
        pytest.param('{ kind = "hinge" }', '{ kind = "hinge" }', marks=pytest.mark.slow),
    ],
)
def test_two_learners_of_the_same_samples(first, second):
    """Joint proximal points: alone without a spring, stationary with one, and one learner of both energies in the limit of a strong one."""
    module = compile_theory(derive(Spec.from_toml(TOGETHER.format(first=first, second=second))))

    def at(gamma):
        found = solve(module, {"gamma": gamma})[0]
        assert found.status.ok, found.status
        return {**found.order_parameters, **found.observables}

    free, nearly = at(0.0), at(1e-7)
    one = point(ALONE.format(loss=first[2:-2], a=1, b=0, strength=0.3))
    two = point(ALONE.format(loss=second[2:-2], a=1, b=1, strength=0.8))
    for name, alone in (("one", one), ("two", two)):
        assert free[f"q[{name},{name}]"] == pytest.approx(alone["q"], rel=1e-8)
        assert nearly[f"q[{name},{name}]"] == pytest.approx(alone["q"], rel=3e-6)
        assert free[f"m[{name},centroid]"] == pytest.approx(alone["m"], rel=1e-8)
    assert free["training_error[one]"] == pytest.approx(nearly["training_error[one]"], abs=1e-6)

    h, here = 1e-2, at(0.8)
    slope = (8 * (at(0.8 + h)["energy"] - at(0.8 - h)["energy"]) - (at(0.8 + 2 * h)["energy"] - at(0.8 - 2 * h)["energy"])) / (12 * h)
    apart = here["q[one,one]"] + here["q[two,two]"] - 2 * here["q[one,two]"]
    assert slope == pytest.approx(apart / 2, rel=1e-6)

    if first != second:  # unknowns keep their digits under a strong spring; results on nodes that are too coarse for it say so
        held = solve(module, {"gamma": 200.0})[0]
        assert held.status is Status.LIMITED or held.quadrature_error < 1e-8
        return
    whole = point(ALONE.format(loss=first[2:-2], a=2, b=1, strength=1.1))  # the energies of both, of the same weights
    strongest = 40.0 if "square" in first else 20.0  # where losses have kinks, stronger springs use up what a point is given
    weak, middle, strong = (at(strongest / part) for part in (4, 2, 1))
    for name, ours in (("energy", "energy"), ("q", "q[one,two]"), ("m", "m[one,centroid]")):
        limit = (weak[ours] - 6 * middle[ours] + 8 * strong[ours]) / 3  # corrections of first and second order in 1/gamma removed
        assert limit == pytest.approx(whole[name], rel=3e-5), name


def test_three_coupled_learners_of_the_same_samples_are_refused():
    text = TOGETHER.format(first='"square"', second='"square"')
    third = '[learner.three]\nlike = "two"\ncouple = { to = "two", strength = "gamma" }\n[controls]'
    with pytest.raises(Underivable, match="one two three train together on the same samples"):
        derive(Spec.from_toml(text.replace("[controls]", third)))
    bent = text.replace('loss = "square"', 'loss = { formula = "(y - z)**2/(1 + (y - z)**2)" }', 1)
    with pytest.raises(Underivable, match="built for convex losses"):
        derive(Spec.from_toml(bent))


STAGES = """
[slice.first]
alpha = "alpha"
[slice.second]
alpha = 0.8
[student]
protocol = "erm"
loss = "square"
regularizer = { kind = "ridge", strength = "lambda" }
[[stage]]
name = "early"
on = "first"
[[stage]]
name = "late"
on = "second"
couple = { to = "early", strength = GAMMA }
[controls]
alpha = { value = 1.7, domain = "(0, inf)" }
lambda = { value = 0.3, domain = "(0, inf)" }
"""


def test_later_stages_never_act_on_earlier_ones():
    head = LATENTS + group("a", 1, 0, RULE)
    strong, weak = (point(head + STAGES.replace("GAMMA", g)) for g in ("5.0", "0.0"))
    names = ("m[student@early,rule]", "q[student@early,student@early]", "chi[student@early,student@early]", "energy[early]")
    same(strong, weak, *names, rel=1e-12)
    assert abs(strong["q[student@late,student@late]"] - weak["q[student@late,student@late]"]) > 0.01


def test_a_penalty_that_is_not_quadratic_is_refused_beside_features():
    """The weights on features are coordinates that any penalty may act on; those through features and penalized ones do not mix yet."""
    spec = load("random_features")
    text = spec.to_toml().replace("[student]", "[learner.student]") + """
[learner.plain]
protocol = "erm"
loss = "square"
regularizer = { kind = "l1", strength = 0.1 }
"""
    lasso = Spec.from_toml(text)
    with pytest.raises(Underivable, match="others learn on features"):
        derive(lasso)
