"""Which limit a composition takes, and how its leaves behave in it: zero temperature, the edge of solvability, many real replicas."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import sympy as sp

from replica.families.model import TEACHER, LocalLaws, Underivable, prior_law
from replica.law import Atom
from replica.nodes import Moreau, Peak, Prox, ProxSlope
from replica.passes.edge import EdgeLeaf
from replica.passes.large_parameter import Limit, LimitError, Place, Response
from replica.tree import Leaf, Side

B = sp.Symbol("B_", positive=True)

Scalar = Callable[[sp.Expr], tuple[int, sp.Expr]]
Rule = Callable[[Leaf, Scalar], "tuple[int, sp.Expr] | None"]


@dataclass(frozen=True)
class Plan:
    """B -> infinity for a structure.

    Args:
        meaning: what B is, in words.
        powers: of increments, conjugates and Parisi parameters.
        fields: of integrated conjugate fields.
        rules: side -> behavior of leaves.
        fixed: symbols that are powers of B themselves.
        even, exact, places: see `Limit`.
    """

    meaning: str
    powers: Mapping[sp.Symbol, int]
    fields: Mapping[sp.Symbol, int]
    rules: Mapping[Side, Rule]
    fixed: Mapping[sp.Symbol, sp.Expr] = field(default_factory=dict)  # what is 1/B or B itself
    even: Callable[[Leaf], bool] = lambda leaf: False
    exact: Mapping[sp.Basic, sp.Expr] = field(default_factory=dict)
    places: dict[sp.Expr, Place] = field(default_factory=dict)  # ends of averages over a point, which are unknowns of their own

    def leading(self, expression: sp.Expr, side: Side, power: int) -> sp.Expr:
        """The coefficient of B^power, which must be the leading one.

        Raises:
            Underivable: orders do not match, in a sentence.
        """
        fields = self.fields if side is Side.ENTROPIC else {}
        try:
            found, value = self.limit(side, fields).leading(expression)
        except LimitError as error:
            raise Underivable(f"{self.meaning}: {error}") from None
        if found != power:
            raise Underivable(f"{self.meaning}: a {side.value} average grows with power {found} where its equation needs {power}")
        return value

    def polynomial(self, expression: sp.Expr) -> sp.Expr:
        found, value = self.limit(Side.ENERGETIC, {}).polynomial(expression)
        if found != 1:
            raise Underivable(f"{self.meaning}: the trace grows with power {found}, the free entropy with 1")
        return value

    def limit(self, side: Side, fields: Mapping[sp.Symbol, int]) -> Limit:
        scalings = {s: s * B**p for s, p in self.powers.items()} | dict(self.fixed)
        return Limit(B, scalings, fields, self.rules[side], self.even, self.places, self.exact)


def minimum(laws: Mapping[str, LocalLaws]) -> dict[Side, Rule]:
    """Zero temperature: a sample's leaf becomes a Moreau envelope, a weight's the largest of field minus penalty."""

    def sample(leaf: Leaf, scalar: Scalar):
        if leaf.species == TEACHER:
            return None
        _, chi = scalar(leaf.A)
        loss = laws[leaf.species].loss
        assert loss is not None
        u = sp.Dummy("u", real=True)
        args = (loss.formula(leaf.extra[0], u), u, chi, leaf.h)
        return _of_order(leaf.order, lambda: -Moreau(*args), lambda: (Prox(*args) - leaf.h) / chi, lambda: (ProxSlope(*args) - 1) / chi)

    def weight(leaf: Leaf, scalar: Scalar):
        if leaf.species == TEACHER:
            return None
        return _weight(laws[leaf.species], leaf, -scalar(leaf.A)[1])

    return {Side.ENERGETIC: sample, Side.ENTROPIC: weight}


def edge(laws: Mapping[str, LocalLaws]) -> dict[Side, Rule]:
    """Solutions shrink to one point: a sample's leaf is the squared distance of its field to the allowed interval."""

    def sample(leaf: Leaf, scalar: Scalar):
        if leaf.species == TEACHER:
            return None
        return 1, EdgeLeaf(leaf, scalar(leaf.A)[1])

    def weight(leaf: Leaf, scalar: Scalar):
        if leaf.species == TEACHER:
            return None
        return _weight(laws[leaf.species], leaf, -scalar(leaf.A)[1])

    return {Side.ENERGETIC: sample, Side.ENTROPIC: weight}


def signs(laws: Mapping[str, LocalLaws]) -> Callable[[Leaf], bool]:
    """Whether a leaf is that of a weight whose values come in opposite pairs."""

    def even(leaf: Leaf) -> bool:
        if leaf.side is not Side.ENTROPIC or leaf.species not in laws:
            return False
        law = laws[leaf.species].entropic("student")
        values = {(p.location, p.log_weight) for p in law if isinstance(p, Atom)}
        return len(values) == len(law) and values == {(-x, w) for x, w in values}

    return even


def unmoved(_laws: Mapping[str, LocalLaws]) -> dict[Side, Rule]:
    """Leaves of order one: only averages over them concentrate."""
    return {side: lambda leaf, scalar: None for side in Side}


def _of_order(order: int, log: Callable, first: Callable, slope: Callable) -> tuple[int, sp.Expr]:
    return 1, (log, first, slope)[order]()


def _weight(laws: LocalLaws, leaf: Leaf, V: sp.Expr) -> tuple[int, sp.Expr]:
    """The largest of h w - V w^2/2 - penalty over the weights that the prior allows, its place, and the place's response."""
    w = sp.Dummy("w", real=True)
    penalty = laws.regularizer.formula(w) if laws.regularizer is not None else sp.S.Zero
    prior = laws.student_prior
    if prior is None or prior.pinned_norm() is not None:
        return _free(penalty, w, V, leaf)
    law = prior_law(prior)
    known = all(p.location.is_number for p in law if isinstance(p, Atom))
    values = sorted({p.location for p in law if isinstance(p, Atom)}, key=float) if known else []
    spread = any(not isinstance(p, Atom) for p in law)
    lower, upper = prior.support() if spread else (None, None)
    if (lower, upper) == (-sp.oo, sp.oo):
        return _free(penalty, w, V, leaf)
    if penalty.free_symbols & {w} or not known or (values and spread):
        raise Underivable(
            f"zero temperature of weights of prior '{prior.kind}' is not built yet (built: values or an interval, no penalty)"
        )
    if spread:
        return _interval(lower, upper, V, leaf)
    return _listed(values, V, leaf)


def _free(penalty: sp.Expr, w: sp.Symbol, V: sp.Expr, leaf: Leaf) -> tuple[int, sp.Expr]:
    args = (penalty, w, 1 / V, leaf.h / V)
    if leaf.order == 0:
        return 1, Peak(penalty, w, V, leaf.h)
    return (0, Prox(*args)) if leaf.order == 1 else (-1, ProxSlope(*args) / V)


def _interval(lower: sp.Expr, upper: sp.Expr, V: sp.Expr, leaf: Leaf) -> tuple[int, sp.Expr]:
    """The parabola's top, clipped; V > 0."""
    top = leaf.h / V
    point = sp.Max(lower, sp.Min(upper, top, evaluate=False), evaluate=False)
    if leaf.order == 0:
        return 1, leaf.h * point - V * point**2 / 2
    return (0, point) if leaf.order == 1 else (-1, sp.Heaviside(top - lower) * sp.Heaviside(upper - top) / V)


def _listed(values: list[sp.Expr], V: sp.Expr, leaf: Leaf) -> tuple[int, sp.Expr]:
    """The value nearest to the parabola's top, a staircase with steps half-way between neighbors; of two opposite ones for any V."""
    first, last = values[0], values[-1]
    if len(values) == 2 and first == -last:
        point, height = last * sp.sign(leaf.h), last * sp.Abs(leaf.h) - V * last**2 / 2
    else:  # V > 0
        point, height = first, first * leaf.h - V * first**2 / 2
        for low, high in zip(values, values[1:], strict=False):
            beyond = leaf.h - V * (low + high) / 2
            point += (high - low) * sp.Heaviside(beyond)
            height += (high - low) * sp.Max(0, beyond)
    if leaf.order == 0:
        return 1, height
    return (0, point) if leaf.order == 1 else (-1, Response(point, leaf.h))
