"""Averages of scores as sums of kernels over generic indices: never unrolled over units.

A score is expanded in powers of the outputs; each power of an output is a sum over units with an index of its own, and what is left is a
product of functions of single fields, whose Gaussian moment is derived once for all indices.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import product

import sympy as sp

from replica.families.online import names as nm
from replica.families.online.gaussian import Fields, NotClosed, expectation
from replica.families.online.reading import LatentLaw, Target, Units, X
from replica.families.online.shapes import Bell, SoftSign, softened
from replica.labels import DiscreteLabels
from replica.nodes.moments import Moment
from replica.theory import Kernel

STUDENT, OTHER = "student", "other"
_DUMMIES = {STUDENT: (nm.i, nm.h, nm.r), OTHER: (nm.n, nm.m, nm.u)}


@dataclass(frozen=True)
class Place:
    """A field: of a unit of the student, or of a direction of the data."""

    kind: str
    index: sp.Expr

    @property
    def shown(self) -> sp.Expr:
        return (nm.lam if self.kind == STUDENT else nm.nu)[self.index]


@dataclass(frozen=True)
class Term:
    """coefficient times the sum over `dummies` of prod_i f_i(field_i); `factors` holds (f as a function of X, field)."""

    coefficient: sp.Expr
    factors: tuple[tuple[sp.Expr, Place], ...]
    dummies: tuple[Place, ...] = ()


@dataclass
class Kernels:
    """Every Gaussian moment that was derived, by its signature."""

    found: dict[tuple, Kernel] = field(default_factory=dict)

    def __call__(self, factors: Sequence[tuple[sp.Expr, Place]], centered: bool) -> sp.Expr:
        """The average of a product of functions of fields; a field with a kink that stands twice is one field."""
        if any(function.has(SoftSign(X, sp.S.Zero), Bell(X, sp.S.Zero)) for function, _ in factors):
            places = dict.fromkeys(place for _, place in factors)
            factors = [(sp.Mul(*(f for f, own in factors if own == place)), place) for place in places]
        total = sp.S.Zero
        for parts in product(*(sp.Add.make_args(sp.expand(function)) for function, _ in factors)):
            split = [part.as_independent(X, as_Add=False) for part in parts]
            kept = [(rest, place) for (_, rest), (_, place) in zip(split, factors, strict=True) if rest != 1]
            coefficient = sp.Mul(*(scale for scale, _ in split))
            total += coefficient * self._one(sorted(kept, key=lambda pair: sp.srepr(pair[0])), centered)
        return total

    def _one(self, factors: Sequence[tuple[sp.Expr, Place]], centered: bool) -> sp.Expr:
        """The same for products of powers, signs and bells."""
        functions, places = tuple(function for function, _ in factors), [place for _, place in factors]
        key = (functions, centered)
        if key not in self.found:
            self.found[key] = self._derive(functions, centered)
        kernel = self.found[key]
        if not kernel.arguments:
            return kernel.value
        return Moment(kernel.name, [place.shown for place in places], [_entry(symbol, places) for symbol in kernel.arguments])

    def _derive(self, functions: tuple[sp.Expr, ...], centered: bool) -> Kernel:
        law = Fields(len(functions), centered)
        placed = [f.xreplace({X: x}) for f, x in zip(functions, law.variables, strict=True)]
        value = expectation(placed, law)
        arguments = tuple(sorted(value.free_symbols, key=lambda symbol: symbol.name))
        number = sum(bool(kernel.arguments) for kernel in self.found.values()) + 1
        return Kernel(f"I_{number}", sp.Mul(*placed), arguments, value)

    @property
    def used(self) -> tuple[Kernel, ...]:
        return tuple(kernel for kernel in self.found.values() if kernel.arguments)


def _entry(symbol: sp.Symbol, places: Sequence[Place]) -> sp.Expr:
    """The element of the covariances or means that a kernel's symbol stands for."""
    what, _, digits = symbol.name.partition("_")
    chosen = [places[int(d) - 1] for d in digits]
    if what == "m":
        (place,) = chosen
        return (nm.m_Q if place.kind == STUDENT else nm.m_T)[nm.c, place.index]
    first, second = sorted(chosen, key=lambda place: place.kind != STUDENT)
    if first.kind == second.kind:
        base = nm.C_Q if first.kind == STUDENT else nm.C_T
        ends = sorted((first.index, second.index), key=sp.default_sort_key)  # one element for both orders
        return base[(nm.c, *ends)]
    return nm.C_R[nm.c, first.index, second.index]


@dataclass
class Expansion:
    """Averages over the cells that share one way of making labels.

    Args:
        student: its units; latent: of the labels, None where they are values.
        centered: whether all fields have mean zero.
    """

    student: Units
    latent: LatentLaw | None
    target: Target
    kernels: Kernels
    centered: bool

    def __post_init__(self) -> None:
        self.output = self._soft(self.student.output)
        self.slope = derivative(self.output)
        self.single = self.student.count == 1
        self.first = self.latent.place + 1 if self.latent is not None else 0
        self.last = self.latent.place + self.latent.units.count if self.latent is not None else 0

    @staticmethod
    def _soft(expression: sp.Expr) -> sp.Expr:
        found = softened(expression, X)
        if found is None:
            raise NotClosed(f"{expression} is not made of polynomials, error functions and kinks at zero")
        return found

    def readout(self, index: sp.Expr) -> sp.Expr:
        return nm.v[index] if self.student.trained else sp.S.One

    def terms(self, explicit: Sequence[tuple[sp.Expr, Place]], body: Callable[[sp.Expr, sp.Expr], sp.Expr]) -> list[Term]:
        """prod explicit * body(y, z) as terms.

        Raises:
            NotClosed: it is no such sum.
        """
        y, z, star = (sp.Dummy(name, real=True) for name in ("y", "z", "star"))
        found = []
        for weight, rest in self._labels(body(y, z), y, star):
            for left in self._others(weight, star):
                for right in self._own(explicit, rest, z):
                    factors = (*right.factors, *left.factors)
                    found.append(Term(left.coefficient * right.coefficient, factors, (*left.dummies, *right.dummies)))
        return found

    def _labels(self, body: sp.Expr, y: sp.Symbol, star: sp.Symbol) -> list[tuple[sp.Expr, sp.Expr]]:
        """body as a sum of (function of the latent's output, function of z)."""
        if self.target.random:
            return [(sp.Rational(1, 2), body.xreplace({y: sp.Integer(sign)})) for sign in (-1, 1)]
        channel = self.target.channel
        if channel is None:
            return [(sp.S.One, body.xreplace({y: nm.label[nm.c]}))]
        labels = channel.labels()
        at = star + self.target.bias
        if isinstance(labels, DiscreteLabels):
            return [(channel.density(a, at), body.xreplace({y: a})) for a in labels.atoms]
        xi = sp.Dummy("xi", real=True)
        rule = channel.map(at, xi)
        if rule is None or not body.is_polynomial(y):
            raise NotClosed(f"labels of the channel '{channel.kind}' under this loss leave an integral")
        return [(_over_noise(sp.expand(rule**power), xi), coefficient) for (power,), coefficient in sp.Poly(body, y).terms()]

    def _others(self, weight: sp.Expr, star: sp.Symbol) -> list[Term]:
        """A function of the latent's output."""
        if star not in weight.free_symbols:
            return [Term(weight, ())]
        assert self.latent is not None
        own = self._soft(self.latent.units.output)
        if self.latent.units.count == 1:
            return [Term(sp.S.One, ((composed(weight, star, self.latent.units.output), Place(OTHER, sp.Integer(self.first))),))]
        if not weight.is_polynomial(star):
            raise NotClosed("labels that are no polynomial of a committee's output leave an integral")
        return [self._power(coefficient, power, own, OTHER) for (power,), coefficient in sp.Poly(weight, star).terms()]

    def _own(self, explicit: Sequence[tuple[sp.Expr, Place]], body: sp.Expr, z: sp.Symbol) -> list[Term]:
        """prod explicit * body(z)."""
        polynomial = body.is_polynomial(z)
        if not polynomial and (not self.single or self.student.trained):
            raise NotClosed("a loss that is no polynomial of the output leaves an integral")
        if not self.single:
            found = [self._power(coefficient, power, self.output, STUDENT) for (power,), coefficient in sp.Poly(body, z).terms()]
            return [replace(term, factors=(*explicit, *term.factors)) for term in found]
        if polynomial:
            parts = [(c * self.readout(sp.S.One) ** p, self.output**p) for (p,), c in sp.Poly(body, z).terms()]
        else:
            parts = [(sp.S.One, composed(body, z, self.student.output))]
        own = sp.Mul(*(function for function, _ in explicit))
        place = explicit[0][1] if explicit else Place(STUDENT, sp.S.One)
        return [Term(coefficient, ((sp.expand(own * function), place),)) for coefficient, function in parts]

    def _power(self, coefficient: sp.Expr, power: int, function: sp.Expr, kind: str) -> Term:
        """coefficient (sum over units of readout times function)^power."""
        if power > len(_DUMMIES[kind]):
            raise NotClosed(f"power {power} of an output needs too many indices")
        places = tuple(Place(kind, index) for index in _DUMMIES[kind][:power])
        readouts = sp.Mul(*(self.readout(place.index) for place in places)) if kind == STUDENT else sp.S.One
        return Term(coefficient * readouts, tuple((function, place) for place in places), places)

    def average(self, terms: Sequence[Term]) -> sp.Expr:
        """The sum of the terms' averages."""
        return sp.Add(*(self._average(term) for term in terms))

    def _average(self, term: Term) -> sp.Expr:
        value = term.coefficient * self.kernels(term.factors, self.centered)
        for kind, low, high in ((STUDENT, sp.S.One, nm.K), (OTHER, sp.Integer(self.first), sp.Integer(self.last))):
            places = [place for place in term.dummies if place.kind == kind]
            if value == 0 or not places:
                continue
            if len(places) == 2 and len({f for f, place in term.factors if place in places}) == 1:  # half of a symmetric sum
                a, b = (place.index for place in places)
                diagonal = self._moved(term, {b: a})
                value = sp.Sum(2 * sp.Sum(value, (b, low, a - 1)) + diagonal, (a, low, high))
            else:
                for place in places:
                    value = sp.Sum(value, (place.index, low, high))
        return value

    def _moved(self, term: Term, change: dict[sp.Symbol, sp.Symbol]) -> sp.Expr:
        factors = tuple((f, replace(place, index=place.index.xreplace(change))) for f, place in term.factors)
        return term.coefficient.xreplace(change) * self.kernels(factors, self.centered)

    def slopes(self, terms: Sequence[Term], own: sp.Symbol) -> dict[str, sp.Expr]:
        """Averages of the derivatives of the terms in their fields: in the explicit one (`own`), in that of unit j, of direction t."""
        found = {"own": sp.S.Zero, STUDENT: sp.S.Zero, OTHER: sp.S.Zero}
        for term in terms:
            for number, (function, place) in enumerate(term.factors):
                factors = list(term.factors)
                factors[number] = (derivative(function), place)
                if factors[number][0] == 0:
                    continue
                left = replace(term, factors=tuple(factors))
                if place.kind == STUDENT and (place.index == own or place not in term.dummies):
                    found["own"] += self._average(left)
                elif place not in term.dummies:
                    found[OTHER] += self._average(left)
                else:
                    target = nm.j if place.kind == STUDENT else nm.t
                    change = {place.index: target}
                    moved = tuple((f, replace(p, index=p.index.xreplace(change))) for f, p in left.factors)
                    rest = tuple(p for p in term.dummies if p != place)
                    found[place.kind] += self._average(Term(left.coefficient.xreplace(change), moved, rest))
        return found


def derivative(function: sp.Expr) -> sp.Expr:
    """The slope of a softened function of X; a kink gives no point mass where the function is continuous."""

    def vanishes(term: sp.Expr) -> bool:
        powers = term.as_powers_dict()
        return Bell(X, sp.S.Zero) in powers and (X in powers or SoftSign(X, sp.S.Zero) in powers)

    return sp.Add(*(term for term in sp.Add.make_args(sp.expand(function.diff(X))) if not vanishes(term)))


def composed(outer: sp.Expr, variable: sp.Symbol, inner: sp.Expr) -> sp.Expr:
    """outer(inner(X)), softened; signs of an increasing odd function are signs of its argument."""
    if inner == X:
        found = softened(outer.xreplace({variable: X}), X)
    else:
        found = softened(outer.xreplace({variable: X}), X)
        if found is not None:
            odd = sp.expand(inner + inner.xreplace({X: -X})) == 0 and bool(inner.diff(X).is_positive)
            kinks = found.atoms(SoftSign, Bell)
            if kinks and not (odd and kinks == {SoftSign(X, sp.S.Zero)}):
                raise NotClosed("a kink of the loss inside an activation leaves an integral")
            mark = sp.Dummy()
            plain = softened(inner, X)
            if plain is None:
                raise NotClosed(f"{inner} is not made of polynomials, error functions and kinks at zero")
            found = sp.expand(found.xreplace({SoftSign(X, sp.S.Zero): mark}).xreplace({X: plain}).xreplace({mark: SoftSign(X, sp.S.Zero)}))
    if found is None:
        raise NotClosed(f"{outer} is not made of polynomials, error functions and kinks at zero")
    return found


def _over_noise(expression: sp.Expr, xi: sp.Symbol) -> sp.Expr:
    """The average over a standard normal xi of a polynomial in it."""
    if not expression.is_polynomial(xi):
        raise NotClosed("noise inside a function of the label leaves an integral")
    return sp.Add(*(c * (sp.factorial2(p - 1) if p % 2 == 0 else 0) for (p,), c in sp.Poly(expression, xi).terms()))
