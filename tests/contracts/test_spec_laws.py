"""Laws written as formulas are probabilities, losses meet the labels they are made for, and what is not convex is said."""

import time

import pytest
import sympy as sp

from replica import channels
from replica.arrays import evaluate
from replica.labels import SIGNS, RealLabels
from replica.spec import Spec, SpecError, load
from replica.spec.energies import warnings

BAYES = 'protocol = "bayes"'
GAUSSIAN = 'prior = "gaussian"\n'


def text(student: str, teacher: str, controls: str = "", extra: str = "") -> str:
    head = f'format = 1\nname = "laws"\n[teacher]\n{teacher}\n[student]\n{student}\n{extra}\n'
    return head + f'[controls]\nalpha = {{ value = 1.0, domain = "(0, inf)" }}\n{controls}\n'


def erm(loss: str, teacher: str) -> str:
    return text(f'protocol = "erm"\nloss = {loss}\nregularizer = {{ kind = "ridge", strength = 1 }}', teacher)


@pytest.mark.parametrize(
    "prior",
    [
        'density = "exp(-abs(w))/2"',
        'density = "1/(pi*(1 + w**2))"',  # heavy tails
        'density = "exp(-w/2)/sqrt(2*pi*w)", support = [0, inf]',  # infinite at an end
        'density = "(tanh(w + 1) - tanh(w - 1))/4"',  # below zero by rounding, far out
        'density = "(exp(-50000*(w - 100)**2) + exp(-50000*(w + 100)**2))/2*sqrt(50000/pi)"',  # narrow and far
    ],
)
def test_a_normalized_prior_passes(prior):
    Spec.from_toml(text(BAYES, f'prior = {{ {prior} }}\nchannel = "sign"'))


@pytest.mark.parametrize(
    "channel",
    [
        'density = "where(y*z > 0, 1, 0)", labels = [-1, 1]',
        'density = "where(y > 0.5, Phi(z - 1), where(y < -0.5, Phi(-z - 1), 1 - Phi(z - 1) - Phi(-z - 1)))", labels = [-1, 0, 1]',
        'density = "exp(-y/exp(z))/exp(z)", support = [0, inf]',
        'density = "exp(-(y - 3*z)**2/2e-6)/sqrt(2e-6*pi)"',  # narrow, away from z
    ],
)
def test_a_channel_that_is_a_probability_passes(channel):
    Spec.from_toml(text(BAYES, f"{GAUSSIAN}channel = {{ {channel} }}"))


@pytest.mark.parametrize(
    ("channel", "found"),
    [
        ('density = "(1 + y*z)/2", labels = [-1, 1]', "the probability of the label 1 is -0.965 at z = -2.93"),
        ('density = "exp(-abs(y - z))"', "integrates to 2 at z = -2.93"),
        ('density = "1/(1 + abs(y))"', "does not converge"),
    ],
)
def test_a_channel_that_is_none_is_refused(channel, found):
    with pytest.raises(SpecError) as caught:
        Spec.from_toml(text(BAYES, f"{GAUSSIAN}channel = {{ {channel} }}"))
    assert caught.value.key == "teacher.channel.density" and found in caught.value.message


SCALED = 'prior = { density = "s*exp(-w**2/2)/sqrt(2*pi)" }\nchannel = "sign"'
S = 's = { value = 1.0, domain = "(0, inf)" }'


def test_controls_that_change_the_mass():
    """A prior that is normalized at the default controls only is refused at others, and in a sweep of them."""
    spec = Spec.from_toml(text(BAYES, SCALED, S))
    assert spec.at({"alpha": 2.0})["s"] == 1
    with pytest.raises(SpecError, match=r"integrates to 2, not to 1.*s = 2"):
        spec.at({"s": 2.0})
    with pytest.raises(SpecError, match=r"at s = 3: teacher.prior.density: integrates to 3"):
        Spec.from_toml(text(BAYES, SCALED, S, "[run]\nsweep = { s = [1, 3] }"))


def test_an_infinite_mass_is_refused_at_once():
    start = time.process_time()
    with pytest.raises(SpecError, match="does not converge"):
        Spec.from_toml(text(BAYES, 'prior = { density = "1/(1 + 2*abs(w))" }\nchannel = "sign"'))
    assert time.process_time() - start < 2


@pytest.mark.parametrize(
    ("channel", "found"),
    [
        ('"poisson"', "counts 0 1 2 ..."),
        ('"relu"', "real numbers from 0 to oo"),
        ('{ kind = "ordinal", thresholds = [0] }', "are 0 1"),
        ('{ map = "heaviside(z)" }', "are 0 1"),
    ],
)
def test_labels_that_are_no_signs(channel, found):
    with pytest.raises(SpecError) as caught:
        Spec.from_toml(erm('"logistic"', f"{GAUSSIAN}channel = {channel}"))
    assert caught.value.key == "student.loss" and "'logistic' is for labels -1 and 1" in caught.value.message
    assert found in caught.value.message


@pytest.mark.parametrize("channel", ['"probit"', '{ map = "-sign(z + xi)" }', '{ map = "where(z > 0.1, 1, -1)" }'])
def test_labels_that_are_signs(channel):
    assert warnings(Spec.from_toml(erm('"logistic"', f"{GAUSSIAN}channel = {channel}"))) == []


def test_a_label_given_as_a_number():
    spec = erm('"hinge"', f'{GAUSSIAN}channel = "sign"') + "[group.a]\nshare = 0.5\nlabel = 2\n[group.b]\nshare = 0.5\n"
    with pytest.raises(SpecError, match="labels of group 'a' are 2"):
        Spec.from_toml(spec)
    Spec.from_toml(spec.replace("label = 2", "label = -1"))


@pytest.mark.parametrize(
    ("loss", "convex"),
    [('"theta"', False), ('{ formula = "(y - abs(z))**2" }', False), ('{ formula = "where(y*z < 1, (1 - y*z)**2, 0)" }', True),
     ('{ kind = "huber", delta = "alpha" }', True)],
)
def test_what_is_not_convex_is_said(loss, convex):
    found = warnings(Spec.from_toml(erm(loss, f'{GAUSSIAN}channel = "sign"')))
    assert len(found) == (not convex) and all(line.startswith("student.loss is not convex in z") for line in found)


def test_only_minimising_asks_for_convexity():
    gibbs = erm('"theta"', f'{GAUSSIAN}channel = "sign"').replace('protocol = "erm"', 'protocol = { kind = "gibbs", beta = 2 }')
    assert warnings(Spec.from_toml(gibbs)) == [] == warnings(load("logistic_sign"))


@pytest.mark.parametrize(
    ("rule", "odds"), [("sign(-z)", (0, 1)), ("-sign(z)", (0, 1)), ("-sign(z + xi)", (0.0668072, 0.9331928)), ("-sign(-z)", (1, 0))]
)
def test_the_sign_of_minus_the_field(rule, odds):
    channel = channels.Map(rule).bind({})
    assert channel.labels() == SIGNS
    y, z = sp.symbols("y z", real=True)
    law = channel.density(y, z)
    found = tuple(float(evaluate(law, {y: label, z: 1.5})) for label in (1.0, -1.0))
    assert found == pytest.approx(odds)
    assert channels.Map("2*sign(z)").bind({}).labels() == RealLabels()
