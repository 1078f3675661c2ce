"""One way of making labels and the cells that share it: its averages in closed form where there is one, on nodes otherwise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import sympy as sp

from replica.families.model import Underivable
from replica.families.online import names as nm
from replica.families.online.gaussian import NotClosed
from replica.families.online.reading import CellLaw, LatentLaw, OnlineModel, Target
from replica.families.online.sampled import Sampled
from replica.families.online.shapes import NoMoment
from replica.families.online.terms import OTHER, STUDENT, Expansion, Kernels, Place
from replica.theory import Definition

Body = Callable[[sp.Expr, sp.Expr], sp.Expr]


@dataclass(frozen=True)
class Way:
    """Cells first ... last (from 1) of the model, whose labels are made alike.

    Args:
        number: its place among the ways.
    """

    number: int
    model: OnlineModel
    target: Target
    first: int
    last: int
    kernels: Kernels

    @property
    def cells(self) -> tuple[sp.Symbol, sp.Expr, sp.Expr]:
        """Range of the index of cells."""
        return nm.c, sp.Integer(self.first), sp.Integer(self.last)

    @property
    def latent(self) -> LatentLaw | None:
        return self.model.latent(self.target.latent) if self.target.latent is not None else None

    @property
    def shifted(self) -> bool:
        return any(cell.mean for cell in self.model.cells[self.first - 1 : self.last])

    @cached_property
    def expansion(self) -> Expansion | None:
        """The closed route; None where activations are not of its kind."""
        try:
            return Expansion(self.model.student, self.latent, self.target, self.kernels, not self.shifted)
        except NotClosed:
            return None

    def sampled(self, where: sp.Expr) -> Sampled:
        return Sampled(self.number, self.model.student, self.latent, self.target, self.model.loss, self.cells, where, self.shifted)

    def covariances(self, where: sp.Expr) -> list[Definition]:
        """Law of the fields in each cell."""
        c, b, k, l, t, u = nm.c, nm.b, nm.k, nm.l, nm.t, nm.u
        over = (b, 1, nm.B)
        units, two = (k, sp.S.One, nm.K), (l, sp.S.One, nm.K)
        found = [self._define(nm.C_Q[c, k, l], (units, two), sp.Sum(nm.variance[c, b] * nm.Q[b, k, l], over), where)]
        places = self._directions(t), self._directions(u)
        if self.latent is not None:
            found.append(self._define(nm.C_R[c, k, t], (units, places[0]), sp.Sum(nm.variance[c, b] * nm.R[b, k, t], over), where))
            found.append(self._define(nm.C_T[c, t, u], places, sp.Sum(nm.variance[c, b] * nm.T[b, t, u], over), where))
        if self.shifted:
            value = sp.Sum(nm.mean[c, t] * sp.Sum(nm.R[b, k, t], over), (t, 1, nm.D))
            found.append(self._define(nm.m_Q[c, k], (units,), value, where))
            if self.latent is not None:
                value = sp.Sum(nm.mean[c, u] * sp.Sum(nm.T[b, t, u], over), (u, 1, nm.D))
                found.append(self._define(nm.m_T[c, t], (places[0],), value, where))
        return found

    def _directions(self, index: sp.Symbol) -> tuple[sp.Symbol, sp.Expr, sp.Expr]:
        latent = self.latent
        if latent is None:
            return index, sp.S.One, nm.D
        return index, sp.Integer(latent.place + 1), latent.place + latent.units.count

    def _define(self, target: sp.Indexed, ranges: tuple, value: sp.Expr, where: sp.Expr, **more) -> Definition:
        return Definition(target, (self.cells, *ranges), value, where, **more)

    def scores(self, slope: Body) -> tuple[list[Definition], bool]:
        """What the equations need in the cells of this way, and whether it is in closed form."""
        where = nm.pi[nm.c]
        if self.expansion is not None:
            try:
                return self._closed(self.expansion, slope, where), True
            except NotClosed:
                pass
            except NoMoment as error:
                raise Underivable(
                    f"learner.{self.model.learner}: {error}; the activation or the loss is too rough for this theory"
                ) from None
        sampled = self.sampled(where)
        return [*sampled.fields(), *sampled.scores(slope)], False

    def _closed(self, averages: Expansion, slope: Body, where: sp.Expr) -> list[Definition]:
        c, k, l, j, t = nm.c, nm.k, nm.l, nm.j, nm.t
        own, other = Place(STUDENT, k), Place(STUDENT, l)
        units, edge = (k, sp.S.One, nm.K), averages.slope
        found = []
        force = averages.terms([(edge, own)], slope)
        slopes = averages.slopes(force, k)
        if slopes[STUDENT] == 0:
            diagonal = sp.KroneckerDelta(k, j) * averages.readout(k) * slopes["own"]
            found.append(self._define(nm.slope_own[c, k, j], (units, (j, sp.S.One, nm.K)), diagonal, where))
        else:
            found.append(self._define(nm.diagonal[c, k], (units,), averages.readout(k) * slopes["own"], where))
            value = averages.readout(k) * slopes[STUDENT] + sp.KroneckerDelta(k, j) * nm.diagonal[c, k]
            found.append(self._define(nm.slope_own[c, k, j], (units, (j, sp.S.One, nm.K)), value, where))
        if self.latent is not None:
            value = averages.readout(k) * slopes[OTHER]
            found.append(self._define(nm.slope_other[c, k, t], (units, self._directions(t)), value, where))
        if averages.single:
            both = averages.terms([(edge**2, own)], lambda y, z: slope(y, z) ** 2)
        else:
            both = averages.terms([(edge, own), (edge, other)], lambda y, z: slope(y, z) ** 2)
        value = averages.readout(k) * averages.readout(l) * averages.average(both)
        found.append(self._define(nm.noise[c, k, l], (units, (l, sp.S.One, k)), value, where, symmetric=True))
        if self.shifted:
            found.append(self._define(nm.force[c, k], (units,), averages.readout(k) * averages.average(force), where))
        if self.model.student.trained:
            push = averages.terms([(averages.output, own)], slope)
            found.append(self._define(nm.push[c, k], (units,), averages.average(push), where))
        return found

    def observed(self, bodies: dict[str, Body], where: sp.Expr) -> tuple[list[Definition], bool]:
        """obs_NAME[c] = E body(y, z) in each cell, and whether nodes are needed."""
        found, left = [], {}
        for name, body in bodies.items():
            try:
                if self.expansion is None:
                    raise NotClosed
                value = self.expansion.average(self.expansion.terms([], body))
            except (NotClosed, NoMoment):
                left[name] = body
                continue
            found.append(self._define(sp.IndexedBase(f"obs_{name}")[nm.c], (), value, where))
        if left:
            sampled = self.sampled(where)
            found += sampled.fields()
            found += [self._define(sp.IndexedBase(f"obs_{name}")[nm.c], (), sampled.average(body), where) for name, body in left.items()]
        return found, bool(left)


def ways(model: OnlineModel, kernels: Kernels) -> tuple[OnlineModel, tuple[Way, ...]]:
    """The model with its cells sorted by how their labels are made, and those ways."""
    targets = list(dict.fromkeys(cell.target for cell in model.cells))
    order = sorted(range(len(model.cells)), key=lambda number: targets.index(model.cells[number].target))
    cells: tuple[CellLaw, ...] = tuple(model.cells[number] for number in order)
    stages = tuple(replace(stage, weights=tuple(stage.weights[number] for number in order)) for stage in model.stages)
    model = replace(model, cells=cells, stages=stages)
    found, first = [], 1
    for number, target in enumerate(targets):
        count = sum(cell.target == target for cell in cells)
        found.append(Way(number + 1, model, target, first, first + count - 1, kernels))
        first += count
    return model, tuple(found)
