"""Random formula specs: the engine's solution satisfies the textbook equations, evaluated by code that shares nothing with it."""

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.properties import textbook
from tests.properties.random_specs import Drawn, gauss, margin_losses, minimisers, posteriors, priors, sign_channels, thermal
from tests.properties.solved import best, module_of, numbers

TOLERANCE = 1e-10
GAUSSIAN = textbook.Prior('"gaussian"', lambda w: gauss(w, 1.0))
RIDGE = textbook.Penalty('{ kind = "ridge", strength = 0.5 }', lambda w: w**2 / 4, lambda w: w / 2)
# a failing example is not made smaller: each trial compiles kernels
FEW = settings(
    max_examples=2, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate]
)
MANY = settings(FEW, max_examples=10)


def disagreement(drawn: Drawn) -> dict[str, float]:
    """Relative distance from the textbook, name by name, at the engine's solution."""
    x = numbers(best(module_of(drawn.text()), alpha=drawn.alpha))
    if drawn.protocol == "erm":
        G = textbook.minimiser(x, drawn.alpha, drawn.prior, drawn.channel, drawn.loss, drawn.penalty)
    elif drawn.protocol == "bayes":
        G = textbook.posterior(x, drawn.alpha, drawn.prior, drawn.channel)
    else:
        G = textbook.gibbs(x, drawn.alpha, drawn.beta, drawn.prior, drawn.channel, drawn.own, drawn.loss)
    scale = max(abs(v) for v in G.values())
    found = {name: abs(x[name] - value) / max(abs(value), 1e-3 * scale) for name, value in G.items()}
    if "generalization_error" in x:
        m, Q = x.get("m", x["q"]), x.get("Q", x["q"])
        error = textbook.generalization_error(drawn.channel, m, Q, textbook.second_moment(drawn.prior))
        found["generalization_error"] = abs(x["generalization_error"] - error)
    return found


def agrees(drawn: Drawn) -> None:
    found = disagreement(drawn)
    assert max(found.values()) < TOLERANCE, (found, drawn)


@given(channel=sign_channels(), loss=margin_losses())
@FEW
def test_minimisers(channel, loss):
    agrees(Drawn("erm", 1.5, GAUSSIAN, channel, loss, RIDGE))


@given(prior=priors(), channel=sign_channels(smooth=True))
@FEW
def test_posteriors(prior, channel):
    agrees(Drawn("bayes", 1.2, prior, channel))


@given(channel=sign_channels(), loss=margin_losses())
@FEW
def test_thermal(channel, loss):
    agrees(Drawn("gibbs", 2.0, GAUSSIAN, channel, loss, None, 0.8, GAUSSIAN))


@pytest.mark.slow
@given(minimisers())
@MANY
def test_many_minimisers(drawn):
    agrees(drawn)


@pytest.mark.slow
@given(posteriors())
@MANY
def test_many_posteriors(drawn):
    agrees(drawn)


@pytest.mark.slow
@given(thermal())
@MANY
def test_many_thermal(drawn):
    agrees(drawn)
