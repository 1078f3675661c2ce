"""The saddle point of minimizers on structured data: which order parameters there are, and their equations in universal form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import sympy as sp

from replica.families.staged.problem import FIELD, Cell, Problem, Vector
from replica.families.staged.samples import Samples
from replica.families.staged.symbols import Names
from replica.families.staged.weights import Weights
from replica.symbols import POSITIVE, REAL, OrderParameter

HALF = sp.Rational(1, 2)


@dataclass(frozen=True)
class Unknown:
    """An order parameter, its equation x = ..., where to start."""

    parameter: OrderParameter
    equation: sp.Expr
    start: sp.Expr


@dataclass
class Equations:
    """The saddle point of a problem."""

    problem: Problem
    wanted: frozenset[frozenset[str]] = frozenset()  # pairs whose overlap somebody asks for

    def __post_init__(self) -> None:
        self.names = Names(self.problem)
        self.samples = Samples(self.problem, self.names)
        self.weights = [Weights(self.problem, site, self.names) for site in self.problem.sites]

    # which order parameters there are ---------------------------------------------------------------------------

    @cached_property
    def pairs(self) -> tuple[tuple[Vector, Vector], ...]:
        """Pairs (earlier or same, later) whose overlap is needed."""
        found = []
        vectors = self.problem.vectors
        for i, a in enumerate(vectors):
            for b in vectors[i:]:
                together = any(a.name in self.problem.fields(c, b.name) for c in b.losses)
                joined = (b.name, a.name) in self.problem.responses
                mixed = any(self.problem.mixed(s) is not None for s in set(a.sites) & set(b.sites))
                if a is b or together or joined or mixed or frozenset((a.name, b.name)) in self.wanted:
                    found.append((a, b))
        return tuple(found)

    # equations --------------------------------------------------------------------------------------------------

    def _inputs(self, base: str, value) -> sp.Expr:
        """An overlap: the base profile's average over coordinates; `value` takes a site's weights."""
        parts = (w.site.total(w.site.profile[base] * value(w)) for w in self.weights if w.site.profile[base] != 0)
        return sp.Add(*(part / self.problem.sizes[base] for part in parts))

    def _outputs(self, base: str, value, read=None) -> sp.Expr:
        """A conjugate: variances times averages over samples; `value` takes a cell.  Of features, `read` takes the weights they act on."""
        if (site := self.problem.mixed(base)) is not None and read is not None:
            (below,) = (w for w in self.weights if w.site.name == site.reads)
            return site.gain * below.site.total(read(below)) / self.problem.sizes[base]
        return sp.Add(*(c.alpha * c.variance[base] * value(c) for c in self.problem.cells if c.variance[base] != 0))

    def unknowns(self) -> list[Unknown]:
        return [*self._overlaps(), *self._conjugates(), *self._biases()]

    def _overlaps(self) -> Iterator[Unknown]:
        names = self.names
        for base in self.problem.bases:
            for v in self.problem.vectors:
                for t in self.problem.latents:
                    if names.m(base, v.name, t) != 0:
                        value = self._inputs(base, lambda w, v=v, t=t: w.overlap(v.name, t) if v in w.alive else sp.S.Zero)
                        yield Unknown(
                            OrderParameter(names.m(base, v.name, t), f"overlap of {v.name} with {t}", REAL), value, sp.Rational(1, 4)
                        )
            for a, b in self.pairs:
                if names.q(base, a.name, b.name) != 0:
                    value = self._inputs(base, lambda w, a=a, b=b: w.second(a.name, b.name) if a in w.alive and b in w.alive else sp.S.Zero)
                    meaning = f"self-overlap of {a.name}" if a is b else f"overlap of {a.name} and {b.name}"
                    positive = a is b and self._everywhere(base)  # on a block of inputs that vanish it may be zero
                    held = self._held(a, b)
                    domain, start = POSITIVE if positive else REAL, HALF if a is b else HALF - 1 / (2 * (1 + held)) ** 2
                    yield Unknown(OrderParameter(names.q(base, a.name, b.name), meaning, domain), value, start)
            for a, b in self._answering(base):
                value = self._inputs(base, lambda w, a=a, b=b: w.slope(a.name, b.name) if a in w.alive and b in w.alive else sp.S.Zero)
                meaning = f"response of {a.name}" if a is b else f"response of {a.name} to a field on {b.name}"
                yield Unknown(
                    OrderParameter(names.chi(base, a.name, b.name), meaning, POSITIVE if a is b else REAL),
                    value,
                    sp.S.One if a is b else self._held(a, b) / (1 + self._held(a, b)),
                )

    def _held(self, a: Vector, b: Vector) -> sp.Expr:
        """Strength of the spring between two vectors that train together: where it is strong they start as one."""
        return self.problem.sprung(a, b) if a.stage == b.stage else sp.S.Zero

    def _everywhere(self, base: str) -> bool:
        """Whether a base has inputs in every cell, so that what is positive cannot vanish on it."""
        return len(self.problem.bases) == 1 or base == FIELD or self.problem.mixed(base) is not None

    def _answering(self, base: str) -> Iterator[tuple[Vector, Vector]]:
        """Responses that some sample needs."""
        for a in self.problem.vectors:
            for b in self.problem.vectors:
                together = any(b.name in self.problem.fields(c, a.name) and c in b.losses for c in a.losses)
                once = (a is b or together or self.problem.mixed(base) is not None) and not self._told(a, b)
                if once and (a.name, b.name) in self.problem.responses and self.names.chi(base, a.name, b.name) != 0:
                    yield a, b

    def _conjugates(self) -> Iterator[Unknown]:
        names = self.names
        for base in self.problem.bases:
            for v in self.problem.vectors:
                for t in self.problem.latents:
                    if names.m(base, v.name, t, True) != 0:
                        symbol = names.m(base, v.name, t, True)
                        yield Unknown(
                            OrderParameter(symbol, f"conjugate of {names.m(base, v.name, t)}", REAL),
                            self._pull(base, v, t),
                            sp.Rational(1, 2),
                        )
            for a, b in self.pairs:
                if names.q(base, a.name, b.name) != 0 and (set(a.losses) & set(b.losses) or self.problem.mixed(base)):
                    value = self._outputs(
                        base,
                        lambda c, a=a, b=b: self._product(c, a, b),
                        lambda w, a=a, b=b: w.product(w.score(a.name), w.score(b.name)),
                    )
                    meaning = (
                        f"conjugate: variance of the scores of {a.name}" if a is b else f"conjugate of {names.q(base, a.name, b.name)}"
                    )
                    symbol = names.q(base, a.name, b.name, True)
                    positive = a is b and self._everywhere(base)
                    yield Unknown(
                        OrderParameter(symbol, meaning, POSITIVE if positive else REAL), value, sp.Rational(1, 2 if a is b else 4)
                    )
            for one, two in self._bending(base):
                value = self._outputs(
                    base,
                    lambda c, a=one, b=two: self._curvature(c, a, b),
                    lambda w, a=one, b=two: -w.score(a.name).diff(w.H(b.name)),
                )
                own, symbol = one is two, names.chi(base, one.name, two.name, True)
                meaning = (
                    f"conjugate: mean curvature of the loss of {one.name}" if own else f"conjugate of {names.chi(base, one.name, two.name)}"
                )
                stiff = own and one.convex and self._everywhere(base)
                domain, start = POSITIVE if stiff else REAL, sp.Rational(1, 2) if own else sp.S.Zero
                yield Unknown(OrderParameter(symbol, meaning, domain), value, start)

    def _bending(self, base: str) -> Iterator[tuple[Vector, Vector]]:
        """Curvatures that some sample gives."""
        for a in self.problem.vectors:
            for b in self.problem.vectors:
                felt = any(b.name in self.problem.fields(c, a.name) for c in a.losses) or self.problem.mixed(base) is not None
                once = felt and (a.name, b.name) in self.problem.curvatures and not self._told(a, b)
                if once and self.names.chi(base, a.name, b.name) != 0:
                    yield a, b

    def _told(self, a: Vector, b: Vector) -> bool:
        """Whether a pair of one stage, whose responses are symmetric, stands in the other order."""
        return a.stage == b.stage and a is not b and self.names.ordered(a.name, b.name) != (a.name, b.name)

    def _pull(self, base: str, v: Vector, latent: str) -> sp.Expr:
        """Conjugate of m: through the label's law, and through the means of the inputs."""
        terms = []
        for c in self.problem.cells:
            if c.key not in v.losses:
                continue
            score = self.samples.score(c, v.name)
            if c.of == latent and c.variance[base] != 0:
                terms.append(c.alpha * c.variance[base] * self.samples.average(c, score, 1))
            if latent in c.mean and c.level[base] != 0:
                terms.append(c.alpha * c.level[base] * c.mean[latent] * self.samples.average(c, score))
        return sp.Add(*terms)

    def _product(self, c: Cell, a: Vector, b: Vector) -> sp.Expr:
        if c.key not in a.losses or c.key not in b.losses:
            return sp.S.Zero
        return self.samples.average(c, self.samples.score(c, a.name) * self.samples.score(c, b.name))

    def _curvature(self, c: Cell, a: Vector, b: Vector) -> sp.Expr:
        if c.key not in a.losses or b.name not in self.problem.fields(c.key, a.name):
            return sp.S.Zero
        return self.samples.average(c, -self.samples.score(c, a.name).diff(self.samples.field(c, b.name)))

    def _biases(self) -> Iterator[Unknown]:
        """A bias is not penalized: the mean score vanishes; one Newton step at fixed fields."""
        for v in self.problem.vectors:
            if not v.bias:
                continue
            cells = [c for c in self.problem.cells if c.key in v.losses]
            force = sp.Add(*(c.alpha * self.samples.average(c, self.samples.score(c, v.name)) for c in cells))
            stiffness = sp.Add(*(c.alpha * self._curvature(c, v, v) for c in cells))
            symbol = self.names.bias(v.name)
            yield Unknown(OrderParameter(symbol, f"bias of {v.name}", REAL), symbol + force / stiffness, sp.S.Zero)

    # energy -----------------------------------------------------------------------------------------------------

    def energy(self, stage: int) -> dict[str, sp.Expr]:
        """Training energy of a stage per d: the losses at the points of its samples, the penalties and springs of its weights."""
        mine = [v for v in self.problem.vectors if v.stage == stage]
        losses = (
            c.alpha * self.samples.average(c, self.samples.loss(c, v.name)) for v in mine for c in self.problem.cells if c.key in v.losses
        )
        penalties = (w.site.total(w.penalties(stage)) for w in self.weights)
        return {"energetic": sp.Add(*losses), "entropic": sp.Add(*penalties)}
