"""The estimated population as a spec: a covariance of a few nodes, each a control, so that one compiled theory serves all data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import sympy as sp
from scipy.stats import norm

from replica import channels, laws, losses, networks, priors, protocols, regularizers
from replica.convexity import is_convex
from replica.gauss import gauss_of_logarithm
from replica.ingredients import Loss
from replica.spec import Control, Data, Group, Label, Latent, Run, Spec, Student
from replica.spec.observables import Average
from simulate.learning_curve.estimate import CLOUDS, LINEAR, Modes
from simulate.learning_curve.table import DataError

NODES = 16  # of the spectrum, and as many of what separates the classes
CARRIER = 1e-9  # share of the coordinates of a node that carries only what separates the classes
LOSSES: Mapping[str, type[Loss]] = {
    "logistic": losses.Logistic,
    "hinge": losses.Hinge,
    "square": losses.Square,
    "huber": losses.Huber,
}
POSITIVE = "(0, inf)"


def loss_of(name: str) -> Loss:
    """A loss by its name, or a formula of the label y and the output z.

    Raises:
        DataError: no such loss, or no formula.
    """
    if name in LOSSES:
        return LOSSES[name]()
    if name.replace("_", "").isalpha():
        raise DataError(f"--loss: '{name}' is not known here (losses: {' '.join(LOSSES)}, or a formula of y and z)")
    y, z = sp.Symbol("y", real=True), sp.Symbol("z", real=True)
    try:
        loss = losses.Formula(name)
        formula = loss.formula(y, z)
    except ValueError as error:
        raise DataError(f"--loss: {error}") from None
    if z not in formula.free_symbols or formula.free_symbols - {y, z}:
        raise DataError(f"--loss: '{name}' must be a formula of the label y and the output z")
    if not all(is_convex(formula, z, {y: label}) for label in (-1.0, 0.3, 1.0)):
        raise DataError(f"--loss: '{name}' is not convex in the output z; its minimum need not be what is found by training")
    return loss


def population(loss: str, law: str, nodes: int = NODES) -> Spec:
    """The spec of a linear rule with bias, trained on the population that a law of labels describes.

    Controls: `alpha` = n/p, `lambda`, and of clouds `share`, else `noise` and, of classes, `threshold`; `v0`.. and `f0`..
    eigenvalues and fractions of the spectrum; `s0`.. and `g0`.. eigenvalues and loadings of what separates the classes.
    """
    v, f, s, g = ([f"{letter}{i}" for i in range(nodes)] for letter in "vfsg")
    rest = " - ".join([f"1 - {nodes}*{CARRIER}", *f])
    spectrum = laws.Covariance((*v, *s, 0), (*f, *[CARRIER] * nodes, rest), (*[0] * nodes, *g, 0))
    controls = {
        "alpha": Control(value=2.0, domain=POSITIVE, meaning="samples per feature"),
        "lambda": Control(value=0.1, domain=POSITIVE),
        **{name: Control(value=1.0, domain=POSITIVE) for name in (*v, *s)},
        **{name: Control(value=1 / (nodes + 1), domain="[0, 1]") for name in f},
        **{name: Control(value=1.0, domain="[0, inf)") for name in g},
    }
    student = Student(
        protocol=protocols.ERM(),
        loss=loss_of(loss),
        regularizer=regularizers.Ridge(strength="lambda"),
        network=networks.Linear(bias=True),
    )
    common: dict[str, Any] = {
        "name": f"{loss} loss on the estimated population ({law})",
        "student": student,
        "latents": {"rule": Latent(prior=priors.Gaussian())},
        "observables": {"test_loss": Average(average="loss")},
        "run": Run(sweep={"alpha": "log:0.1:10:30"}),
    }
    if law == CLOUDS:
        controls["share"] = Control(value=0.5, domain="(0, 1)", meaning="part of the samples in the second class")
        groups = {
            "second": Group(mean={"rule": 0.5}, label=Label(value=1), share="share"),
            "first": Group(mean={"rule": -0.5}, label=Label(value=-1), share="1 - share"),
        }
        return Spec(data=Data(law=spectrum), groups=groups, controls=controls, **common)
    controls["noise"] = Control(value=1.0, domain=POSITIVE, meaning="part of the label's field that is no linear function of the features")
    if law == LINEAR:
        label = Label(of="rule", channel=channels.Linear("noise"))
        return Spec(data=Data(law=spectrum, label=label), controls=controls, **common)
    controls["threshold"] = Control(value=0.0, domain="(-inf, inf)")
    label = Label(of="rule", channel=channels.Probit("noise"), bias="threshold")
    return Spec(data=Data(law=spectrum, label=label), controls=controls, **common)


def controls(found: Modes, strength: float, nodes: int = NODES, used: int | None = None) -> dict[str, float]:
    """Values of the controls but for `alpha`.

    Inputs are measured in units in which the mean eigenvalue is one; nodes that are left over have no weight.

    Args:
        strength: of the ridge on weights that act on the features as they are.
        nodes: of the spec.
        used: quadrature nodes, `nodes` if absent.
    """
    unit = found.trace
    count = used or nodes
    spectrum = gauss_of_logarithm(found.values, np.full(len(found.values), 1 / found.width), count)
    spread = gauss_of_logarithm(found.values, found.power, count)
    at = {"lambda": strength / unit}
    for i in range(nodes):
        value, part = (float(a[i]) if i < len(a) else d for a, d in zip(spectrum, (1.0, 0.0), strict=True))
        at[f"v{i}"], at[f"f{i}"] = value * found.width / unit if part else 1.0, part
        value, power = (float(a[i]) if i < len(a) else d for a, d in zip(spread, (1.0, 0.0), strict=True))
        scaled = value * found.width / unit if power else 1.0
        # coordinates are in units of the trace: a mean has squares power * value, a teacher power / value
        size = power * scaled if found.law == CLOUDS else power / scaled
        at[f"s{i}"], at[f"g{i}"] = scaled, size / CARRIER
    if found.law == CLOUDS:
        return at | {"share": found.share}
    at["noise"] = 1 - float(found.power.sum())
    return at if found.law == LINEAR else at | {"threshold": float(norm.ppf(found.share))}
