"""Neighborhoods of weight vectors, counted exactly: a probe near a reference drawn from its own measure, and copies around centres.

An imposed overlap selects a shell of vectors.  Its size is known exactly at every d and in the limit, and the ratio of the two, which
has nothing to do with the data, is taken out of the counts: what is left approaches its limit as 1/d and not as log(d)/d.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import sympy as sp
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

from replica.formula import exact, parse
from simulate.draw import bound, number
from simulate.instance import Instance, Unsupported
from simulate.learn.estimate import Estimate, Outcome
from simulate.learn.table import Table, table_of
from simulate.learn.tape import Tape, numpy_operations
from simulate.learn.target import prior_of

PAIRS = 2**33
"""Most pairs of vectors that are compared."""
ISOLATED = 0.1
"""Largest weight of references without a neighbor at the imposed overlap; they have no logarithm and are left out."""
_BLOCK = 2**22  # pairs held at once
_SAME = 1e-6  # overlaps, as sums over coordinates, that differ by rounding only


def shape_of(spec: Any) -> tuple[str, str, bool]:
    """(center, coupled learner, whether the center was trained in an earlier stage).

    Raises:
        Unsupported: the learners are not one that stands alone and one coupled to it.
    """
    coupled = [name for name, learner in spec.learners.items() if learner.couple]
    if len(spec.learners) == 2 and len(coupled) == 1 and len(terms := spec.learners[coupled[0]].couple) == 1:
        (center,) = set(spec.learners) - set(coupled)
        stages = [next((i for i, s in enumerate(spec.stages) if name in s.learners), 0) for name in (center, *coupled)]
        if terms[0].to == center and number_of_copies(spec.learners[center], {}) == 1:
            return center, coupled[0], stages[0] < stages[1]
    raise Unsupported("enumeration takes one learner, or two of which the second is coupled to the first and to nothing else")


def number_of_copies(learner: Any, at: Mapping[str, float]) -> float:
    """Real replicas; `at` is needed where their number is a control."""
    return 1.0 if learner.copies is None else number(learner.copies, at)


@dataclass(frozen=True)
class Bond:
    """The coupling of two vectors: a log weight per coordinate, and an overlap where one is imposed.

    Args:
        atoms: (K,) of the coupled learner; center_atoms likewise.
        log_weight: (K', K) by center and coupled atom.
        total: imposed sum over coordinates of the product, or None.
    """

    center_atoms: np.ndarray
    atoms: np.ndarray
    log_weight: np.ndarray
    total: float | None

    def sums(self, centers: np.ndarray, around: np.ndarray, logs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """As seen from each of `centers` (C, d): log sum over `around` (S, d) with log weights `logs` (S,), and its mean log coupling.

        Raises:
            Unsupported: too many pairs.
        """
        if len(centers) * len(around) > PAIRS:
            raise Unsupported(f"{len(centers)} x {len(around)} pairs of weight vectors are too many (at most {PAIRS}); take a smaller d")
        kernel = self.log_weight if self.total is None else np.outer(self.center_atoms, self.atoms)
        single = (around[:, :, None] == self.atoms).astype(float).reshape(len(around), -1).T.copy()
        top = logs.max()
        weights = np.exp(logs - top)
        step = max(1, _BLOCK // len(around))
        sums, means = [], []
        for i in range(0, len(centers), step):
            seen = kernel[np.argmax(centers[i : i + step, :, None] == self.center_atoms, axis=2)]
            joint = seen.reshape(len(seen), -1) @ single
            if self.total is None:
                high = joint.max(axis=1, keepdims=True)
                e = np.exp(joint - high) * weights
                sums.append(np.log(e.sum(axis=1)) + high[:, 0] + top)
                means.append((e * joint).sum(axis=1) / e.sum(axis=1))
            else:
                with np.errstate(divide="ignore"):
                    sums.append(np.log((np.abs(joint - self.total) < _SAME) @ weights) + top)
                means.append(np.zeros(len(joint)))
        return np.concatenate(sums), np.concatenate(means)

    def excess(self, centers: np.ndarray, log_masses: np.ndarray) -> np.ndarray:
        """log of (size of the shell in the limit) - log of its size at this d, vectors weighing exp(log_masses) per atom; (C,)."""
        if self.total is None:
            return np.zeros(len(centers))
        law = dict(zip(self.atoms, log_masses, strict=True))
        even = all(-atom in law and law[-atom] == mass for atom, mass in law.items())
        values = np.unique(np.abs(self.center_atoms) if even else self.center_atoms)
        counts = ((np.abs(centers) if even else centers)[:, :, None] == values).sum(axis=1)
        _, first, which = np.unique(counts @ (len(centers[0]) + 1) ** np.arange(len(values)), return_index=True, return_inverse=True)
        kinds = (tuple(np.repeat(values, counts[i])) for i in first)
        return np.array([_excess(kind, tuple(law.items()), self.total) for kind in kinds])[which]


@lru_cache(maxsize=4096)
def _excess(center: tuple[float, ...], law: tuple[tuple[float, float], ...], total: float) -> float:
    """NaN where no vector, or every vector, has the overlap `total` (a sum over coordinates) with the center."""
    atoms, log_masses = np.array(law).T
    sizes = {0.0: 0.0}
    for value in center:
        grown: dict[float, float] = {}
        for place, size in sizes.items():
            for atom, mass in law:
                there = round(place + value * atom, 9)
                grown[there] = float(np.logaddexp(grown.get(there, -np.inf), size + mass))
        sizes = grown
    exact_size = next((size for place, size in sizes.items() if abs(place - total) < _SAME), None)
    if exact_size is None or len(sizes) == 1:
        return np.nan
    values, counts = np.unique(center, return_counts=True)

    def rate(mu: float) -> float:
        return float(counts @ logsumexp(log_masses + mu * np.outer(values, atoms), axis=1)) - mu * total

    return float(minimize_scalar(rate, bounds=(-60, 60), method="bounded", options={"xatol": 1e-10}).fun) - exact_size


def around_a_reference(instance: Instance, reference: str, probe: str) -> Outcome:
    """Mean over references, drawn from their own measure, of the log number (log weight at finite temperature) of probes near them."""
    tables = _tables(instance, reference, probe)
    if not (np.all(np.isfinite([t.logs.max() for t in tables.values()]))):
        return Outcome({}, failure="no weights are allowed by the labels")
    bond = bond_of(instance, reference, probe)
    centers, logs = tables[reference].allowed()
    around, weights, counted = _counted(instance, probe, tables[probe], bond)
    found, coupling = bond.sums(centers, around, weights)
    found += bond.excess(centers, counted) - coupling
    chance = np.exp(logs - logsumexp(logs))
    alone = ~np.isfinite(found)
    isolated = float(chance[alone].sum())
    if np.all(np.isnan(found)):
        return Outcome({}, failure=_unreachable(bond, instance.size))
    if isolated > ISOLATED:
        return Outcome({}, failure=f"{isolated:.0%} of the references have no probe at that overlap, allowed {ISOLATED:.0%}")
    value = float(chance[~alone] @ found[~alone]) / chance[~alone].sum() / instance.size
    mean = chance @ centers
    Q = float(chance @ np.sum(centers**2, axis=1)) / instance.size
    estimate = Estimate(mean, max(Q - float(mean @ mean) / instance.size, 0.0))
    return Outcome({reference: estimate}, {"local_entropy": value, "isolated": isolated})


def around_centres(instance: Instance, center: str, copy: str) -> Outcome:
    """log of the sum over centers of their weight times (number of copies near them) to the power y, and its two parts.

    `local_entropy`: log number of copies near the centers that dominate; `complexity`: log number of those centers; both per weight.
    """
    tables = _tables(instance, center, copy)
    if not (np.all(np.isfinite([t.logs.max() for t in tables.values()]))):
        return Outcome({}, failure="no weights are allowed by the labels")
    bond = bond_of(instance, center, copy)
    centers, own, _ = _counted(instance, center, tables[center], bond)
    around, weights, counted = _counted(instance, copy, tables[copy], bond)
    y, d = number_of_copies(instance.spec.learners[copy], instance.at), instance.size
    found, coupling = bond.sums(centers, around, weights)
    found += bond.excess(centers, counted)
    reached = np.isfinite(found)
    if not reached.any():
        return Outcome({}, failure=_unreachable(bond, d) if np.all(np.isnan(found)) else "no center has a copy at that overlap")
    found, own, coupling = found[reached], own[reached], coupling[reached]
    if np.isinf(y):
        best = int(np.argmax(found))
        return Outcome({}, {"local_entropy": float(found[best] - coupling[best]) / d})
    total = float(logsumexp(own + y * found))
    chance = np.exp(own + y * found - total)
    return Outcome({}, {"local_entropy": float(chance @ (found - coupling)) / d, "complexity": (total - y * float(chance @ found)) / d})


def _tables(instance: Instance, *names: str) -> dict[str, Table]:
    """One table per learner, the same where only the coupling differs."""
    found: dict[Any, Table] = {}
    tables = {}
    for name in names:
        learner = instance.spec.learners[name]
        key = (prior_of(instance, learner), learner.protocol, learner.loss)
        if key not in found:
            found[key] = table_of(instance, learner)
        tables[name] = found[key]
    return tables


def _counted(instance: Instance, name: str, table: Table, bond: Bond) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Allowed vectors, their log weights with equal prior masses counted as numbers, and the log mass of each atom in these units."""
    vectors, logs = table.allowed()
    masses = log_masses_of(instance, name)
    even = np.allclose(masses, masses[0], rtol=0, atol=1e-12)
    unit = masses[0] if even else 0.0
    return vectors, logs - unit * instance.size, masses - unit


def bond_of(instance: Instance, center: str, learner: str) -> Bond:
    """The coupling of a learner to its center at the controls of an instance."""
    (term,) = instance.spec.learners[learner].couple
    atoms, there = atoms_of(instance, learner), atoms_of(instance, center)
    if term.overlap is not None:
        return Bond(there, atoms, np.zeros((len(there), len(atoms))), number(term.overlap, instance.at) * instance.size)
    w, other = sp.symbols("w w_center", real=True)
    words = {**{name: exact(value) for name, value in instance.at.items()}, "w": w, f"w_{center}": other}
    if term.log_weight is not None:
        formula = parse(term.log_weight, words)
    else:
        protocol = instance.spec.learners[learner].protocol
        beta = number(protocol.beta, instance.at) if protocol.kind == "gibbs" else 1.0
        if np.isinf(beta):
            raise Unsupported("a coupling in the energy at beta = inf cannot be enumerated; write it as log_weight or impose the overlap")
        formula = -exact(beta) * parse(term.formula or f"({term.strength})/2*(w - w_{center})**2", words)
    grid = np.meshgrid(there, atoms, indexing="ij")
    return Bond(there, atoms, Tape((formula,), (other, w), numpy_operations())(*grid)[0], None)


def atoms_of(instance: Instance, name: str) -> np.ndarray:
    """(K,) values of one weight of a learner."""
    return np.array([float(a) for a, _ in _pairs(instance, name)])


def log_masses_of(instance: Instance, name: str) -> np.ndarray:
    """(K,) log masses of these values under its prior."""
    return np.log([float(p) for _, p in _pairs(instance, name)])


def _pairs(instance: Instance, name: str) -> Any:
    return bound(prior_of(instance, instance.spec.learners[name]), instance.at).atoms()


def _unreachable(bond: Bond, d: int) -> str:
    products = np.outer(bond.center_atoms, bond.atoms).ravel()
    steps = np.unique(np.round(np.abs(np.diff(np.unique(products))), 9))
    step = f", overlaps are multiples of {steps[0] / d:.6g} from {products.min():g}" if len(steps) == 1 else ""
    return f"no two weight vectors of d = {d} have the overlap {(bond.total or 0.0) / d:.6g}{step}"
