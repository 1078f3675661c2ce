"""Random formula specs: the engine's solution satisfies the textbook equations, evaluated by code that shares nothing with it."""

import pytest

from replica.spec import Spec
from simulate.finite_size import Verdict, compare_all, verdict
from simulate.runs import simulate
from tests.properties import textbook
from tests.properties.random_specs import Drawn, distinct, minimisers, posteriors, thermal
from tests.properties.solved import best, module_of, numbers

TOLERANCE = 1e-10
KINDS = {"erm": minimisers, "bayes": posteriors, "gibbs": thermal}
PLAIN = {f"{name}-{i}": d for name, kind in KINDS.items() for i, d in enumerate(distinct(kind(plain=True), 7, 1))}
GENERAL = {f"{name}-{i}": d for name, kind in KINDS.items() for i, d in enumerate(distinct(kind(), 10, 1))}
SIMULATED = ("erm-5", "bayes-4", "gibbs-4")


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


@pytest.mark.parametrize("name", [pytest.param(name, marks=() if name[-1] in "01" else pytest.mark.slow) for name in PLAIN])
def test_plain(name):
    agrees(PLAIN[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", GENERAL)
def test_general(name):
    agrees(GENERAL[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", SIMULATED)
def test_simulated(name):
    """Finite systems drawn and trained from the spec alone."""
    drawn = GENERAL[name]
    theory = best(module_of(drawn.text()), alpha=drawn.alpha)
    runs = simulate(Spec.from_toml(drawn.text()), {"alpha": drawn.alpha}, sizes=(100, 200), seeds=16)
    compared = compare_all(runs, {**theory.observables, **theory.order_parameters})
    away = [(c.observable, round(c.z, 1), c.reason) for c in compared if c.verdict is not Verdict.AGREES]
    assert verdict(compared) is Verdict.AGREES, (away, drawn)
