"""What the coordinates of a site say: weights that the fields of the samples and the penalties agree on, and their moments.

A weight minimizes penalty + springs + chi_hat w^2/2 - B w in the field B = sum_t m_hat_t u^t + noise; a later vector also carries what
the scores of earlier ones answer.  With quadratic penalties all weights are linear in the fields.

Weights v on features sigma(W x/sqrt(n)) act on x through w = kappa_1 W^T v/sqrt(p).  Given v they are Gaussian: for v, the coordinates
of x are samples, each with a field h of variance kappa_1^2 |v|^2/p, which moves by kappa_1^2 chi per unit of the score B - chi_hat w.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import sympy as sp

from replica.families.model import Underivable
from replica.families.staged.problem import Problem, Site, Vector
from replica.families.staged.symbols import Names
from replica.nodes import Gauss, Prox, Tilted
from replica.passes.close import Branch, Closer, Ratios


@dataclass
class Weights:
    """One site of a problem."""

    problem: Problem
    site: Site
    names: Names
    _fields: dict[tuple[str, str], sp.Dummy] = field(default_factory=dict)

    @property
    def alive(self) -> tuple[Vector, ...]:
        return tuple(v for v in self.problem.vectors if self.site.name in v.sites)

    def B(self, name: str) -> sp.Symbol:
        return self._fields.setdefault(("B", name), sp.Dummy(f"B_{name}", real=True))

    def H(self, name: str) -> sp.Symbol:
        """What the weights of a vector on features put here."""
        return self._fields.setdefault(("H", name), sp.Dummy(f"h_{name}", real=True))

    def above(self, name: str) -> Site | None:
        return self.problem.above(name, self.site)

    def _dressed(self, entry) -> sp.Expr:
        return sp.Add(*(self.site.profile[k] * entry(k) for k in self.problem.bases if self.site.profile[k] != 0))

    def push(self, name: str, latent: str) -> sp.Expr:
        return self._dressed(lambda k: self.names.m(k, name, latent, True))

    def stiffness(self, a: str, b: str) -> sp.Expr:
        """chi_hat of a pair here."""
        return self._dressed(lambda k: self.names.chi(k, a, b, True)) if (a, b) in self.problem.curvatures else sp.S.Zero

    def covariance(self, a: str, b: str) -> sp.Expr:
        """Of the fields B_a, B_b: the signal of the latents and the noise of the samples, or of the coordinates that features read."""
        latents = self.problem.latents
        signal = sp.Add(*(self.push(a, s) * self.site.moment(s, t) * self.push(b, t) for s in latents for t in latents))
        shared = self.shares(a, b)
        return signal + self._dressed(lambda k: self.names.q(k, a, b, True) if shared or self.problem.mixed(k) else sp.S.Zero)

    def _covariances(self) -> dict[tuple[sp.Symbol, sp.Symbol], sp.Expr]:
        """Of all fields of the vectors that live here; those through features know nothing of the samples."""
        names = [v.name for v in self.alive]
        found = {(self.B(a), self.B(b)): self.covariance(a, b) for a in names for b in names}
        for a in names:
            for b in names:
                up = self.above(a)
                if up is not None and self.above(b) is up:
                    found[self.H(a), self.H(b)] = up.gain * self.names.q(up.name, a, b)
        return {pair: value for pair, value in found.items() if value != 0}

    def shares(self, a: str, b: str) -> bool:
        """Whether some samples pull at both."""
        one, two = self.problem.vector(a), self.problem.vector(b)
        return bool(set(one.losses) & set(two.losses))

    # the weights ------------------------------------------------------------------------------------------------

    def spring(self, a: Vector, b: Vector) -> sp.Expr:
        """Coefficient of w_a w_b in the energy of a's stage, from springs."""
        return -self.problem.sprung(a, b) if b.stage <= a.stage else sp.S.Zero

    def held(self, a: Vector) -> sp.Expr:
        """Coefficient of w_a^2/2 in the energy of a's stage, from springs to vectors that live here; to others they pull to zero."""
        return sp.Add(*(self.problem.sprung(a, b) for b in self.problem.vectors if b is not a and b.stage <= a.stage))

    def quadratic(self, v: Vector) -> sp.Expr | None:
        """Coefficient of w^2/2 in the penalty, None where the penalty is not that."""
        w = sp.Dummy("w", real=True)
        p = sp.expand(v.penalty(w))
        strength = p.coeff(w, 2) * 2
        return strength if sp.expand(p - strength * w**2 / 2) == 0 else None

    @cached_property
    def trained(self) -> tuple[Vector, ...]:
        """Those that act here themselves."""
        return tuple(v for v in self.alive if self.above(v.name) is None)

    @cached_property
    def linear(self) -> bool:
        return all(self.quadratic(v) is not None for v in self.trained)

    @cached_property
    def solution(self) -> dict[str, sp.Expr]:
        """Vector -> its weight as a function of the fields."""
        return self._linear() if self.linear else self._proximal()

    def _linear(self) -> dict[str, sp.Expr]:
        rows, right = [], []
        for a in self.alive:
            if self.above(a.name) is None:
                rows.append([self._curvature(a, b) for b in self.alive])
                right.append(self.B(a.name))
            else:
                rows.append([sp.Integer(a is c) + sp.Add(*(g * self.stiffness(b, c.name) for b, g in self._moved(a))) for c in self.alive])
                right.append(self.H(a.name) + sp.Add(*(g * self.B(b) for b, g in self._moved(a))))
        found = triangular_inverse(sp.Matrix(rows), [v.stage for v in self.alive]) * sp.Matrix(right)
        return {v.name: found[i, 0] for i, v in enumerate(self.alive)}

    def _moved(self, a: Vector) -> list[tuple[str, sp.Expr]]:
        """(b, how far a vector on features moves here per unit of the score of b)."""
        up = self.above(a.name)
        assert up is not None
        others = (b.name for b in self.alive if self.above(b.name) is up and (a.name, b.name) in self.problem.responses)
        return [(b, up.gain * self.names.chi(up.name, a.name, b)) for b in others]

    def score(self, a: str) -> sp.Expr:
        """B - chi_hat w: what the samples still ask for here."""
        return self.B(a) - sp.Add(*(self.stiffness(a, c.name) * self.solution[c.name] for c in self.alive))

    def _curvature(self, a: Vector, b: Vector) -> sp.Expr:
        if a is b:
            own = self.quadratic(a)
            assert own is not None
            return own + self.held(a) + self.stiffness(a.name, a.name)
        return self.spring(a, b) + self.stiffness(a.name, b.name)

    def _proximal(self) -> dict[str, sp.Expr]:
        if not self.site.gaussian:
            raise Underivable("regularizer: a penalty that is not quadratic needs Gaussian latents")
        if len(self.trained) < len(self.alive):
            raise Underivable("regularizer: a penalty that is not quadratic has no theory yet where others learn on features")
        found: dict[str, sp.Expr] = {}
        for v in self.alive:
            pull: sp.Expr = self.B(v.name)
            for other in self.alive:
                c = self.spring(v, other) + self.stiffness(v.name, other.name) if other is not v else sp.S.Zero
                if c == 0:
                    continue
                if other.stage == v.stage:
                    raise Underivable(f"couple: {v.name} and {other.name} train together; their penalties must be quadratic")
                pull = pull - c * found[other.name]
            V = self.stiffness(v.name, v.name) + self.held(v)
            w = sp.Dummy("w", real=True)
            found[v.name] = Prox(v.penalty(w), w, 1 / V, pull / V)
        return found

    # moments ----------------------------------------------------------------------------------------------------

    def slope(self, a: str, b: str) -> sp.Expr:
        """E[d w_a / d B_b]."""
        return self.average(self.solution[a].diff(self.B(b)))

    def second(self, a: str, b: str) -> sp.Expr:
        """E[w_a w_b]."""
        return self.product(self.solution[a], self.solution[b])

    def product(self, one: sp.Expr, two: sp.Expr) -> sp.Expr:
        """E of the product of two functions of the fields."""
        if not self.linear:
            return self.average(one * two)
        return sp.Add(*(one.diff(s) * value * two.diff(t) for (s, t), value in self._covariances().items()))

    def overlap(self, a: str, latent: str) -> sp.Expr:
        """E[w_a u]: for normal latents and linear weights, the slopes times covariances."""
        latents = self.problem.latents
        terms = []
        for v in self.alive:
            signal = sp.Add(*(self.push(v.name, s) * self.site.moment(s, latent) for s in latents))
            if signal != 0:
                terms.append(self.slope(a, v.name) * signal)
        return sp.Add(*terms)

    def average(self, body: sp.Expr) -> sp.Expr:
        """E[body] over the fields B."""
        names = [v.name for v in self.alive if self.B(v.name) in body.free_symbols]
        if not names:
            return body
        gauss = Gauss([self.B(a) for a in names], [0] * len(names), [[self.covariance(a, b) for b in names] for a in names])
        return _CLOSER(Tilted(body, sp.S.Zero, (gauss,), normalised=True))

    def penalties(self, stage: int) -> sp.Expr:
        """E of penalties and springs of a stage."""
        found = sp.S.Zero
        for v in self.trained:
            if v.stage != stage:
                continue
            strength = self.quadratic(v) if self.linear else None
            found += strength * self.second(v.name, v.name) / 2 if strength is not None else self.average(v.penalty(self.solution[v.name]))
            for other, g in v.springs.items():
                here = any(o.name == other for o in self.alive)
                stretch = self.second(v.name, v.name)
                if here:
                    stretch += self.second(other, other) - 2 * self.second(v.name, other)
                found += g * stretch / 2
        return found


def triangular_inverse(matrix: sp.Matrix, stages: list[int]) -> sp.Matrix:
    """Inverse of a matrix that is block lower triangular in the stages, block by block: later blocks stay out of earlier ones."""
    size = matrix.shape[0]
    found = sp.zeros(size, size)
    for stage in sorted(set(stages)):
        now = [i for i in range(size) if stages[i] == stage]
        before = [i for i in range(size) if stages[i] < stage]
        own = _inverse(matrix.extract(now, now))
        right = -matrix.extract(now, before) * found.extract(before, before) if before else sp.zeros(len(now), 0)
        for r, i in enumerate(now):
            for c, j in enumerate(now):
                found[i, j] = own[r, c]
            row = own.row(r) * right
            for c, j in enumerate(before):
                found[i, j] = row[0, c]
    return found


def _inverse(matrix: sp.Matrix) -> sp.Matrix:
    """By cofactors of symbols: elimination would simplify the entries on its way."""
    size = matrix.shape[0]
    letters = sp.Matrix(size, size, lambda i, j: sp.Dummy(f"a{i}{j}"))
    entries = {letters[i, j]: matrix[i, j] for i in range(size) for j in range(size)}
    return (letters.adjugate() / letters.det()).xreplace(entries)


def _no_law(leaf, branch):
    raise Underivable("weights of minimizers have no leaves")


_CLOSER = Closer(lambda tilt: [Branch(sp.S.Zero, (), sp.S.Zero, lambda k: sp.S.One)], _no_law, sp.Dummy("y", real=True), "", Ratios())
