"""Averages that have no closed form: all fields of a cell on shared nodes of independent normals, slopes by Gaussian regression."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sympy as sp

from replica.families.model import Underivable
from replica.families.online import names as nm
from replica.families.online.reading import LatentLaw, Target, Units, X
from replica.ingredients import Loss
from replica.labels import DiscreteLabels
from replica.theory import Array, Axis, Definition, Nodes

Range = tuple[sp.Symbol, sp.Expr, sp.Expr]


@dataclass(frozen=True)
class Sampled:
    """Definitions of one way of making labels.

    Args:
        number: of the way, which tells its arrays from those of others.
        cells: range of the index c; where: computed where this is not zero.
        shifted: whether fields have means.
    """

    number: int
    student: Units
    latent: LatentLaw | None
    target: Target
    loss: Loss
    cells: Range
    where: sp.Expr
    shifted: bool

    def _base(self, name: str) -> sp.IndexedBase:
        return sp.IndexedBase(f"{name}_{self.number}")

    @property
    def others(self) -> sp.Expr:
        """Number of fields of the latent."""
        return self.latent.units.count if self.latent is not None else sp.S.Zero

    @property
    def noisy(self) -> bool:
        """Whether the label needs a normal of its own."""
        xi = sp.Dummy("xi", real=True)
        channel = self.target.channel
        if channel is None or isinstance(channel.labels(), DiscreteLabels):
            return False
        rule = channel.map(sp.Dummy("z", real=True), xi)
        if rule is None:
            raise Underivable(f"channel '{channel.kind}': labels without a rule y(z, xi) have no online theory yet")
        return rule.has(xi)

    @property
    def axis(self) -> Axis:
        return Axis(sp.Symbol(f"S_{self.number}", integer=True, positive=True), f"node_{self.number}", sp.S.Zero)

    @property
    def all(self) -> sp.Expr:
        """Number of fields."""
        return nm.K + self.others

    @property
    def nodes(self) -> Nodes:
        return Nodes(self.axis, self._base("zeta"), self._base("w"), self.all + int(self.noisy))

    @property
    def arrays(self) -> tuple[Array, ...]:
        """What the definitions fill."""
        cells, units = Axis(nm.C, "cell", sp.S.Zero), Axis(nm.K, "unit", sp.S.Zero)
        every = Axis(self.all, "field", sp.S.Zero)
        shapes = {
            "X": (cells, every, every),
            "L": (cells, every, every),
            "J": (cells, every, every),
            "phi": (cells, every, self.axis),
            "out": (cells, self.axis),
            "star": (cells, self.axis),
            "res": (cells, self.axis),
            "power": (cells, self.axis),
            "edge": (cells, units, self.axis),
            "drive": (cells, units, self.axis),
            "H": (cells, units, every),
        }
        return tuple(Array(self._base(name), axes) for name, axes in shapes.items())

    def _define(self, target: sp.Indexed, ranges: tuple[Range, ...], value: sp.Expr, **more) -> Definition:
        return Definition(target, (self.cells, *ranges), value, self.where, **more)

    def fields(self) -> list[Definition]:
        """Factor of the covariances, fields and outputs on the nodes."""
        c, s, k, l, r, n, m = nm.c, nm.s, nm.k, nm.l, nm.r, nm.n, nm.m
        phi, full, root, back = map(self._base, ("phi", "X", "L", "J"))
        zeta = self.nodes.points
        units, nodes = (k, sp.S.One, nm.K), (s, sp.S.One, self.axis.symbol)
        found = [self._define(full[c, k, l], (units, (l, sp.S.One, k)), nm.C_Q[c, k, l])]
        mean = nm.m_Q[c, k] if self.shifted else sp.S.Zero
        paths = [self._define(phi[c, k, s], (units, nodes), mean + sp.Sum(root[c, k, r] * zeta[r, s], (r, 1, k)))]
        if self.latent is not None:
            o = sp.Integer(self.latent.place)
            some = (n, sp.S.One, self.others)
            found.append(self._define(full[c, nm.K + n, k], (some, units), nm.C_R[c, k, n + o]))
            found.append(self._define(full[c, nm.K + n, nm.K + m], (some, (m, sp.S.One, n)), nm.C_T[c, n + o, m + o]))
            mean = nm.m_T[c, n + o] if self.shifted else sp.S.Zero
            value = mean + sp.Sum(root[c, nm.K + n, r] * zeta[r, s], (r, 1, nm.K + n))
            paths.append(self._define(phi[c, nm.K + n, s], (some, nodes), value))
            star = sp.Sum(self.latent.units.output.xreplace({X: phi[c, nm.K + n, s]}), (n, 1, self.others))
            paths.append(self._define(self._base("star")[c, s], (nodes,), star))
        every = (k, sp.S.One, self.all)
        found.append(self._define(root[c, k, l], (every, (l, sp.S.One, k)), full[c, k, l], factor=1))
        found.append(self._define(back[c, k, l], (every, (l, sp.S.One, k)), root[c, k, l], factor=-1))
        readout = nm.v[k] if self.student.trained else sp.S.One
        total = sp.Sum(readout * self.student.output.xreplace({X: phi[c, k, s]}), (k, 1, nm.K))
        return [*found, *paths, self._define(self._base("out")[c, s], (nodes,), total)]

    def average(self, body: Callable[[sp.Expr, sp.Expr], sp.Expr]) -> sp.Expr:
        """E body(y, z) in cell c."""
        weights = self.nodes.weights
        return sp.Sum(weights[nm.s] * self._at_labels(body), (nm.s, 1, self.axis.symbol))

    def _at_labels(self, body: Callable[[sp.Expr, sp.Expr], sp.Expr]) -> sp.Expr:
        """body(y, z) at a node, averaged over the labels that the node leaves open."""
        z, star = self._base("out")[nm.c, nm.s], self._base("star")[nm.c, nm.s] + self.target.bias
        channel = self.target.channel
        if self.target.random:
            return (body(sp.S.One, z) + body(-sp.S.One, z)) / 2
        if channel is None:
            return body(nm.label[nm.c], z)
        labels, x = channel.labels(), sp.Dummy("z", real=True)
        if isinstance(labels, DiscreteLabels):
            law = channel.density
            return sp.Add(*(sp.sympify(law(a, x)).xreplace({x: star}) * body(a, z) for a in labels.atoms))
        xi = sp.Dummy("xi", real=True)
        rule = sp.sympify(channel.map(x, xi))
        return body(rule.xreplace({x: star, xi: self.nodes.points[self.all + 1, nm.s]}), z)

    def scores(self, slope: Callable[[sp.Expr, sp.Expr], sp.Expr]) -> list[Definition]:
        """Force, slopes, noise and push, as the closed route gives them.

        Args:
            slope: -d loss/d z as a function of (y, z).
        """
        c, s, k, l, j, t, r = nm.c, nm.s, nm.k, nm.l, nm.j, nm.t, nm.r
        phi, res, power, edge, drive, sums, back = map(self._base, ("phi", "res", "power", "edge", "drive", "H", "J"))
        w, zeta = self.nodes.weights, self.nodes.points
        units, nodes = (k, sp.S.One, nm.K), (s, sp.S.One, self.axis.symbol)
        over = (s, 1, self.axis.symbol)
        readout = nm.v[k] if self.student.trained else sp.S.One
        rise = steep(self.student.output)
        found = [
            self._define(res[c, s], (nodes,), self._at_labels(slope)),
            self._define(power[c, s], (nodes,), self._at_labels(lambda y, z: slope(y, z) ** 2)),
            self._define(edge[c, k, s], (units, nodes), readout * rise.xreplace({X: phi[c, k, s]})),
            self._define(drive[c, k, s], (units, nodes), w[s] * edge[c, k, s] * res[c, s]),
            self._define(sums[c, k, r], (units, (r, sp.S.One, self.all)), sp.Sum(drive[c, k, s] * zeta[r, s], over)),
            self._define(nm.slope_own[c, k, j], (units, (j, sp.S.One, nm.K)), sp.Sum(back[c, r, j] * sums[c, k, r], (r, j, self.all))),
            self._define(
                nm.noise[c, k, l],
                (units, (l, sp.S.One, k)),
                sp.Sum(w[s] * edge[c, k, s] * edge[c, l, s] * power[c, s], over),
                symmetric=True,
            ),
        ]
        if self.latent is not None:
            o = sp.Integer(self.latent.place)
            row = nm.K + t - o
            value = sp.Sum(back[c, r, row] * sums[c, k, r], (r, row, self.all))
            found.append(self._define(nm.slope_other[c, k, t], (units, (t, o + 1, o + self.others)), value))
        if self.shifted:
            found.append(self._define(nm.force[c, k], (units,), sp.Sum(drive[c, k, s], over)))
        if self.student.trained:
            value = sp.Sum(w[s] * self.student.output.xreplace({X: phi[c, k, s]}) * res[c, s], over)
            found.append(self._define(nm.push[c, k], (units,), value))
        return found


def steep(output: sp.Expr) -> sp.Expr:
    """The slope of an activation almost everywhere.

    Raises:
        Underivable: the activation jumps, so that its slope is no function.
    """
    slope = sp.diff(output, X)
    if slope.replace(sp.DiracDelta, lambda *_: sp.S.Zero) != slope and not _continuous(output):
        raise Underivable(f"activation {output}: jumps, and the gradient of its units does not exist")
    return slope.replace(sp.DiracDelta, lambda *_: sp.S.Zero)


def _continuous(output: sp.Expr) -> bool:
    low, high = (sp.limit(output, X, 0, side) for side in ("-", "+"))
    return bool(low == high)
