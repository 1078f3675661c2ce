"""Features of a trained network, of which theory takes from measurement how they vary and what they know of the label.

Given the network, its features act like Gaussian ones with their covariance and their covariance with the label's field (the Gaussian
equivalence of Goldt et al., PMLR 145 (2022) 426, and Loureiro et al., NeurIPS 34 (2021) 18137).  Both spectra enter as quadratures whose
nodes and weights are controls without a value of their own; `simulate.measured` supplies them.
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from replica.families.staged.problem import FIELD, Site
from replica.symbols import Control, Domain, control_symbol

NODES, LABEL_NODES = 14, 10
"""Of the eigenvalues of the covariance, and of the part of the label's field along its eigenvectors."""
CARRIER = 1e-9
"""Part of the features that a node of the label's field takes: enough to stand in an equation, too little to be seen."""
EIGENVALUE, FRACTION, PLACE, POWER = "eigenvalue", "fraction", "label_eigenvalue", "label_power"
_POSITIVE, _PART = Domain(0.0), Domain(0.0, 1.0, True, True)


def node(learner: str, what: str, number: int) -> str:
    """The name of a measured control.

    Args:
        learner: whose features they are.
        what: EIGENVALUE or FRACTION of a node of the spectrum, PLACE or POWER (part of the variance) of one of the label's field.
    """
    return f"{learner}_{what}_{number}"


def controls(learner: str) -> tuple[Control, ...]:
    """The controls that a measurement supplies."""
    spectrum = [(what, i) for i in range(NODES) for what in (EIGENVALUE, FRACTION)]
    label = [(what, i) for i in range(LABEL_NODES) for what in (PLACE, POWER)]
    meaning = f"measured on the features that '{learner}' reads"
    domains = {EIGENVALUE: _POSITIVE, PLACE: _POSITIVE}
    return tuple(
        Control(control_symbol(node(learner, what, i)), float("nan"), domains.get(what, _PART), meaning) for what, i in (*spectrum, *label)
    )


def sites(learner: str, count: sp.Expr, moments: Mapping[str, sp.Expr]) -> tuple[Site, ...]:
    """Eigenvectors of the covariance, `count` of them per d.

    Args:
        moments: latent -> variance of the label's field that it makes.
    """

    def number(what: str, i: int) -> sp.Expr:
        return control_symbol(node(learner, what, i))

    def site(name: str, part: sp.Expr, value: sp.Expr, gram: Mapping[tuple[str, str], sp.Expr]) -> Site:
        return Site(name, count * part, {FIELD: value / count}, gram, gaussian=False)

    spectrum = [site(f"features of {learner}, {i}", number(FRACTION, i), number(EIGENVALUE, i), {}) for i in range(NODES)]
    for i in range(LABEL_NODES):
        value = number(PLACE, i)
        gram = {(t, t): number(POWER, i) * m / (CARRIER * value) for t, m in moments.items()}
        spectrum.append(site(f"label of {learner}, {i}", sp.Float(CARRIER), value, gram))
    return tuple(spectrum)
