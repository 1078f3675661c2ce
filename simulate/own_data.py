"""A user's own samples, or formula, in place of drawn ones: checked against the spec, solved, and measured by what the data alone say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from replica.labels import CountLabels, DiscreteLabels
from simulate.draw import bound, is_disorder, is_formula
from simulate.draw.cells import label_law
from simulate.formulas import Formula
from simulate.instance import Instance, Unsupported
from simulate.learn.estimate import Outcome
from simulate.measure import training_averages

_SHOWN = 4


def instance_of(spec: Any, at: Mapping[str, float], *data: Any, seed: int = 0) -> Instance:
    """A user's data as an instance of an expanded spec: (X, y) samples, or where the law is one of clauses a formula.

    Raises:
        Unsupported: one line, for data that the spec cannot have made.
    """
    if is_formula(spec):
        if len(data) != 1:
            raise Unsupported(f"own data: the law of this spec is one of clauses, so one formula is needed, found {len(data)} arrays")
        (given,) = data
        formula = given if isinstance(given, Formula) else Formula.of(given)
        point = {**at, "alpha": (len(formula.clause) - 1) / formula.size} if "alpha" in at else dict(at)
        return Instance(spec, point, formula.size, seed, {"literal": formula.literal, "clause": formula.clause}, {})
    if len(data) != 2:
        raise Unsupported(f"own data: samples are given by two arrays, X and y, found {len(data)}")
    return _of_samples(spec, at, *data, seed)


def _of_samples(spec: Any, at: Mapping[str, float], X: Any, y: Any, seed: int) -> Instance:
    """The samples as an instance of an expanded spec; where `alpha` is a control it becomes their number per input coordinate.

    Args:
        X: (n, d) inputs; the theory supposes entries of mean 0 and variance 1.
        y: (n,) labels.
        seed: tells runs of a random algorithm on the same samples apart.
    """
    if is_disorder(spec) or len(spec.slices) > 1:
        raise Unsupported("own data: the spec must speak of one slice of samples")
    inputs, labels = _array("X", X, 2), _array("y", y, 1)
    n, d = inputs.shape
    if len(labels) != n:
        raise Unsupported(f"own data: X and y must have one row per sample, found {n} rows in X and {len(labels)} labels in y")
    (part,) = spec.slices.values()
    if len(part.groups) > 1:
        raise Unsupported(f"own data: samples do not say which of the groups {' '.join(part.groups)} they belong to")
    (name,) = spec.slices
    (group,) = part.groups
    _check_labels(labels, label_law(part.groups[group].label, at))
    point = {**at, "alpha": n / d} if "alpha" in at else dict(at)
    return Instance(spec, point, d, seed, {"x": inputs, "y": labels, "cell": np.zeros(n, int)}, {}, ((name, group),))


def _array(name: str, value: Any, dimensions: int) -> np.ndarray:
    found = np.asarray(value)
    if found.ndim == 2 and dimensions == 1 and 1 in found.shape:
        found = found.ravel()
    if found.ndim != dimensions or not found.size:
        what = "a table of samples by inputs" if dimensions == 2 else "one column of labels"
        raise Unsupported(f"own data: {name} must be {what}, found an array of shape {found.shape}")
    if found.dtype.kind not in "fiub":
        raise Unsupported(f"own data: {name} must hold real numbers, found an array of type {found.dtype}")
    found = np.ascontiguousarray(found, float)
    if bad := int((~np.isfinite(found)).sum()):
        row = int(np.argwhere(~np.isfinite(found))[0, 0])
        raise Unsupported(f"own data: {bad} of {found.size} entries of {name} are NaN or infinite, the first in row {row}")
    return found


def _check_labels(y: np.ndarray, law: Any) -> None:
    """Refuses labels that the channel of the spec cannot give."""
    if isinstance(law, DiscreteLabels):
        atoms = sorted(float(a) for a in law.atoms)
        wrong, allowed = y[~np.isin(y, atoms)], " ".join(f"{a:g}" for a in atoms)
    elif isinstance(law, CountLabels):
        wrong, allowed = y[(y < 0) | (y != np.round(y))], "0 1 2 ..."
    else:
        lower, upper = float(law.lower), float(law.upper)
        wrong, allowed = y[(y < lower) | (y > upper)], f"numbers from {lower:g} to {upper:g}"
    if len(wrong):
        found = " ".join(f"{value:g}" for value in np.unique(wrong)[:_SHOWN])
        share = f"{len(wrong)} of {len(y)} labels"
        raise Unsupported(f"own data: {share} cannot come from the channel of this spec: {found} (allowed: {allowed})")


def measure_own(instance: Instance, outcome: Outcome) -> dict[str, float]:
    """Length of each estimate, loss and error on the samples, and what the algorithm itself gives."""
    found: dict[str, float] = {}
    for name, estimate in outcome.estimates.items():
        tail = "" if len(outcome.estimates) == 1 else f"_{name}"
        found[f"q{tail}"] = float(np.mean(estimate.mean**2))
        learner = instance.spec.learners.get(name)
        if learner is not None and learner.loss is not None and "x" in instance.arrays and "training_loss" not in estimate.extras:
            field = estimate.field(instance.arrays["x"])
            averages = training_averages(bound(learner.loss, instance.at), instance.arrays["y"], field)
            found |= {f"{key}{tail}": value for key, value in averages.items()}
        found |= {f"{key}{tail}": float(value) for key, value in estimate.extras.items()}
    return found | {name: float(value) for name, value in outcome.extras.items()}
