"""The teacher's length: E w^2 of a prior, closed where it integrates, else one more unknown with an explicit equation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import sympy as sp

from replica.arrays import evaluate
from replica.draws import mass
from replica.families.reading import StaticModel
from replica.families.solved import begun
from replica.symbols import POSITIVE, OrderParameter, control_symbol
from replica.theory import Theory

RHO = sp.Symbol("rho_star", positive=True)


def with_moment(theory: Theory, moment: sp.Expr, model: StaticModel) -> Theory:
    """The theory with `RHO` = `moment` among its equations, so that the average is integrated once and with everything else."""
    symbol = control_symbol(RHO.name)
    theory = theory.xreplace({RHO: symbol})
    system = theory.system
    begin = sp.Float(estimate(model))
    return replace(
        theory,
        system=replace(
            system,
            unknowns=(*system.unknowns, OrderParameter(symbol, "E w^2 of the teacher's prior", POSITIVE)),
            equations=(*system.equations, moment),
            starts=tuple(begun(s, {symbol: begin}) for s in system.starts),
        ),
        order_parameters={**theory.order_parameters, symbol.name: symbol},
    )


def estimate(model: StaticModel) -> float:
    """The moment at the default controls, to a few digits: where a solver begins."""
    prior = model.laws.prior
    assert prior is not None
    defaults = {model.names[c.name]: sp.Float(c.value) for c in model.controls}
    w = sp.Dummy("w", real=True)
    lower, upper = (float(end.xreplace(defaults)) for end in prior.support())
    integrand = (w**2 * prior.density(w)).xreplace(defaults)

    def numbers(x: np.ndarray) -> np.ndarray:
        return np.asarray(evaluate(integrand, {w: x}), float)

    atoms = sum(float((p * x**2).xreplace(defaults)) for x, p in prior.atoms())
    return atoms + mass(lower, upper, numbers)
