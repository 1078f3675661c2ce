"""Loop form (SymPy) to graph.  SymPy only builds the tree: nothing is simplified or differentiated by it here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction

import sympy as sp
from sympy.core.relational import Relational
from sympy.logic.boolalg import BooleanFalse, BooleanTrue

from numerics.graph.records import Graph
from numerics.graph.schedule import unsigned
from numerics.program import LogSum, Root, Steady, Sum, Table, TiltSum
from numerics.reads import free
from replica.nodes.functions import Hazard, Log2Cosh, LogH, Sigmoid, Softplus

_UNARY = {
    sp.log: "log",
    sp.Abs: "abs",
    sp.sign: "sign",
    LogH: "logh",
    Hazard: "hazard",
    Softplus: "softplus",
    Sigmoid: "sigmoid",
    Log2Cosh: "log2cosh",
    sp.tanh: "tanh",
    sp.cosh: "cosh",
    sp.sinh: "sinh",
    sp.erf: "erf",
    sp.erfc: "erfc",
    sp.sin: "sin",
    sp.cos: "cos",
    sp.tan: "tan",
    sp.acos: "acos",
    sp.asin: "asin",
    sp.atan: "atan",
    sp.loggamma: "lgamma",
}
_COMPARE = {
    sp.StrictLessThan: ("lt", False),
    sp.LessThan: ("le", False),
    sp.StrictGreaterThan: ("lt", True),
    sp.GreaterThan: ("le", True),
    sp.Equality: ("eq", False),
    sp.Unequality: ("ne", False),
}
NEWTON = 6  # steps from a guess good to 1e-4: 4 for 60 digits, and two for guesses that are worse
_NAMED = {sp.pi: "pi", sp.E: "e", sp.EulerGamma: "euler_gamma", sp.oo: "inf"}


class LoweringError(ValueError):
    """An expression holds something that kernels do not know."""


def _exponentials(e: sp.Expr) -> tuple[tuple[sp.Expr, sp.Expr], ...]:
    """((p, a), (q, b)) where `e` is p e^a + q e^b with positive numbers p and q, a constant one first; else empty."""
    if isinstance(e, sp.cosh):
        return (sp.S.Half, e.args[0]), (sp.S.Half, -e.args[0])
    found = []
    for term in e.args if isinstance(e, sp.Add) and len(e.args) == 2 else ():
        number, rest = term.as_coeff_Mul()
        if not number.is_positive or not (rest is sp.S.One or isinstance(rest, sp.exp)):
            return ()
        found.append((number, sp.S.Zero if rest is sp.S.One else rest.args[0]))
    return tuple(sorted(found, key=lambda pair: pair[1] != 0))


class Lowering:
    """Turns expressions into records of one graph.

    Args:
        graph: receives the records.
        parameters: record of each free symbol.
        loops: number of each loop variable.
    """

    def __init__(self, graph: Graph, parameters: Mapping[sp.Symbol, int], loops: Mapping[sp.Symbol, int]) -> None:
        self.graph, self.parameters, self.loops = graph, parameters, loops
        self._done: dict[sp.Basic, int] = {}
        self._rules: dict[type, Callable[[sp.Basic], int]] = {
            sp.Add: self._add,
            sp.Mul: self._mul,
            sp.Pow: self._pow,
            sp.exp: self._exp,
            sp.log: self._log,
            sp.Max: self._extreme,
            sp.Min: self._extreme,
            sp.Piecewise: self._piecewise,
            sp.Heaviside: self._heaviside,
            sp.factorial: self._factorial,
            sp.gamma: self._gamma,
            Sum: self._sum,
            LogSum: self._log_sum,
            TiltSum: self._tilt_sum,
            Steady: self._steady,
            Root: self._root,
            Table: lambda e: self(e.written_out()),
        }

    def __call__(self, expression: sp.Basic) -> int:
        found = self._done.get(expression)
        if found is None:
            found = self._done[expression] = self._lower(expression)
        return found

    def _lower(self, e: sp.Basic) -> int:
        g = self.graph
        if isinstance(e, sp.Symbol):
            if e in self.parameters:
                return self.parameters[e]
            if e in self.loops:
                return g.node(self.loops[e])
            raise LoweringError(f"symbol {e.name!r} is neither an unknown, a control nor a loop variable; known are {self._known()}")
        if isinstance(e, sp.Rational):
            return g.const(Fraction(int(e.p), int(e.q)))
        if isinstance(e, sp.Float):
            exact = sp.Rational(e)
            return g.const(Fraction(int(exact.p), int(exact.q)))
        if e in _NAMED:
            return g.named(_NAMED[e])
        if e is sp.S.NegativeInfinity:
            return g.neg(g.named("inf"))
        rule = self._rules.get(e.func)
        if rule:
            return rule(e)
        op = _UNARY.get(e.func)
        if op:
            return g.fn(op, self.argument(e.args[0]))
        if isinstance(e, Relational):
            op, swap = _COMPARE[e.func]
            a, b = self(e.args[0]), self(e.args[1])
            return g.compare(op, b, a) if swap else g.compare(op, a, b)
        if isinstance(e, sp.And | sp.Or):
            op = "and" if isinstance(e, sp.And) else "or"
            first, *rest = sorted(self(a) for a in e.args)
            for other in rest:
                first = g.compare(op, first, other)
            return first
        if isinstance(e, sp.Not) and isinstance(e.args[0], sp.And | sp.Or):
            return self(sp.to_nnf(e))
        raise LoweringError(
            f"no rule for {e.func.__name__}; kernels know + * **, exp, Max, Min, Piecewise, {', '.join(sorted(f.__name__ for f in _UNARY))}"
        )

    def _known(self) -> str:
        return ", ".join(sorted(s.name for s in self.parameters)) or "none"

    def argument(self, e: sp.Basic) -> int:
        """Argument of a function, as a + b x in its innermost variable where it is of that form: a and b leave the loop."""
        r = self(e)
        g, mask = self.graph, self.graph.mask[r]
        if mask and g.op[r] not in ("node", "neg"):
            loop = mask.bit_length() - 1
            split = g.affine(r, loop)
            if split is not None:
                return g.add(split[0], g.mul(split[1], g.node(loop)))
        return r

    def _combine(self, records: Iterable[int], join: Callable[[int, int], int], neutral: int) -> int:
        """Join records, those that depend on the same loops first and fewer loops before more, so that scalars leave.

        In the order of records without their signs: a sum and the sum of its negated terms are one record.
        """
        groups: dict[int, int] = {}
        for r in sorted(records, key=lambda r: unsigned(self.graph, r)):
            mask = self.graph.mask[r]
            groups[mask] = join(groups[mask], r) if mask in groups else r
        total = neutral
        for mask in sorted(groups, key=lambda m: (m.bit_count(), m)):
            total = join(total, groups[mask])
        return total

    def _add(self, e: sp.Add) -> int:
        g = self.graph
        terms, extra = list(e.args), []
        for term in e.args:  # c*Hazard(x) - c*x has a form of its own
            factors = sp.Mul.make_args(term)
            hazards = [f for f in factors if isinstance(f, Hazard)]  # by factors: SymPy's own search walks shared parts again and again
            if len(hazards) == 1:
                scale = sp.Mul(*(f for f in factors if f is not hazards[0]))
                rest = sp.Add.make_args(-scale * hazards[0].args[0])
                if all(r in terms for r in rest):
                    for r in (term, *rest):
                        terms.remove(r)
                    x = self.argument(hazards[0].args[0])
                    extra.append(g.mul(self(scale), g.fn("gap", x)))
        return self._combine([self(t) for t in terms] + extra, g.add, g.zero)

    def _mul(self, e: sp.Mul) -> int:
        g = self.graph
        up, down = [], []
        for factor in self._bounded(e.args):
            if isinstance(factor, sp.Pow) and factor.exp.is_Rational and factor.exp.is_negative:
                down.append(self(sp.Pow(factor.base, -factor.exp)))
            else:
                up.append(self(factor))
        below: dict[int, int] = {}
        for r in down:
            mask = g.mask[r]
            below[mask] = g.mul(below[mask], r) if mask in below else r
        return self._combine(up + [g.inv(r) for r in below.values()], g.mul, g.one)

    def _pow(self, e: sp.Pow) -> int:
        g = self.graph
        base, power = e.args
        if power.is_Rational and power.is_negative and _exponentials(base):
            return self(self._power(base, power))
        if power.is_Integer:
            return g.powi(self(base), int(power))
        if power.is_Rational and power.q == 2:
            root = g.fn("sqrt", self(base))
            whole = g.mul(g.powi(self(base), abs(int(power.p)) // 2), root)
            return whole if power.p > 0 else g.inv(whole)
        if base is sp.E:
            return self._exp_of(power)
        if power.is_number:
            return g.fn("exp", g.mul(self(power), g.fn("log", self(base))))
        if base.is_number and base.is_positive:
            return g.fn("exp", g.mul(g.fn("log", self(base)), self(power)))
        return g.fn("pow", self(base), self(power))

    def _bounded(self, factors: Iterable[sp.Expr]) -> list[sp.Expr]:
        """Factors that may overflow alone, joined: e^a with the sum it multiplies, and e^a / (e^b + e^c)^n as one exponential where both
        read the same loops."""
        result = list(factors)
        for f in factors:
            if isinstance(f, sp.exp) and not self._bounded_above(f.args[0]):
                inner = next((s for s in result if isinstance(s, Sum) and self._meets(f, s)), None)
                if inner is not None:
                    body = list(sp.Mul.make_args(inner.args[0]))
                    weight = next(b for b in body if isinstance(b, sp.exp))
                    body[body.index(weight)] = sp.exp(sp.Add(weight.args[0], f.args[0]), evaluate=False)
                    result.remove(f)
                    result[result.index(inner)] = Sum(sp.Mul(*body), inner.variable)
        for f in tuple(result):
            if isinstance(f, sp.Pow) and f.exp.is_Rational and f.exp.is_negative and _exponentials(f.base):
                loops = free(f) & self.loops.keys()
                partner = next((a for a in result if isinstance(a, sp.exp) and free(a) & self.loops.keys() == loops), None)
                result.remove(f)
                if partner is None:
                    result.append(self._power(f.base, f.exp))
                else:
                    result.remove(partner)
                    result.append(sp.exp(partner.args[0] + f.exp * self._log_of_two(f.base), evaluate=False))
        return result

    def _meets(self, growing: sp.exp, inner: Sum) -> bool:
        """Whether the body of a sum holds an exponential that reads the same outer loop: it may cancel the growth."""
        weights = [b for b in sp.Mul.make_args(inner.args[0]) if isinstance(b, sp.exp)]
        moving = free(growing) & self.loops.keys()
        return inner.variable not in moving and bool(weights) and bool(moving & free(weights[0]))

    def _power(self, base: sp.Expr, power: sp.Rational) -> sp.Expr:
        """(e^a + e^b)^power, a negative power, without overflow."""
        (one, first), (other, second) = _exponentials(base)
        if (one, first) == (other, 0) and power.is_Integer:
            return one**power * Sigmoid(-second) ** -power
        return sp.exp(power * self._log_of_two(base), evaluate=False)

    @staticmethod
    def _log_of_two(e: sp.Expr) -> sp.Expr:
        """log(p e^a + q e^b) without overflow."""
        if isinstance(e, sp.cosh):
            return Log2Cosh(e.args[0]) - sp.log(2)
        (p, a), (q, b) = _exponentials(e)
        return a + sp.log(p) + Softplus(b - a + sp.log(q / p))

    def _log(self, e: sp.log) -> int:
        g = self.graph
        number, rest = e.args[0].as_coeff_Mul()
        if number.is_positive and _exponentials(rest):
            return self._combine([self(sp.log(number)), self(self._log_of_two(rest))], g.add, g.zero)
        return g.fn("log", self.argument(e.args[0]))

    def _exp(self, e: sp.Basic) -> int:
        return self._exp_of(e.args[0])

    def _exp_of(self, exponent: sp.Expr) -> int:
        """exp of a sum that holds log H or log: those terms become factors, unless the others may grow and overflow alone."""
        g = self.graph
        terms = sp.Add.make_args(exponent)
        apart = [t for t in terms if isinstance(t, LogH | sp.log)]
        rest = [t for t in terms if t not in apart]
        if not all(self._bounded_above(t) for t in rest):
            rest += [t for t in apart if isinstance(t, LogH)]
            apart = [t for t in apart if isinstance(t, sp.log)]
        factors = [g.fn("exp", self(t)) for t in apart]
        if rest:
            factors.append(g.fn("exp", self.argument(sp.Add(*rest)) if factors else self(exponent)))
        return self._combine(factors, g.mul, g.one)

    def _bounded_above(self, term: sp.Expr) -> bool:
        """Whether a term of an exponent is seen to stay below a bound on all nodes: no loop in it, or minus a square of all that moves."""
        moving = free(term) & self.loops.keys()
        if not moving:
            return True
        number, rest = term.as_coeff_Mul()
        squares = [f for f in sp.Mul.make_args(rest) if isinstance(f, sp.Pow) and f.exp.is_Integer and f.exp.is_even]
        still = [f for f in sp.Mul.make_args(rest) if f not in squares]
        return bool(number.is_negative) and not any(free(f) & moving for f in still)

    def _extreme(self, e: sp.Basic) -> int:
        join = self.graph.maximum if isinstance(e, sp.Max) else self.graph.minimum
        return self._combine([self(a) for a in e.args], join, self(e.args[0]))

    def _piecewise(self, e: sp.Piecewise) -> int:
        g = self.graph
        pairs = list(e.args)
        if not isinstance(pairs[-1].cond, BooleanTrue):
            raise LoweringError(f"Piecewise without a last case that always holds: {e}")
        result = self(pairs[-1].expr)
        for pair in reversed(pairs[:-1]):
            if not isinstance(pair.cond, BooleanFalse):
                result = g.sel(self(pair.cond), self(pair.expr), result)
        return result

    def _heaviside(self, e: sp.Heaviside) -> int:
        g = self.graph
        return g.mul(g.const(Fraction(1, 2)), g.add(g.one, g.fn("sign", self.argument(e.args[0]))))

    def _factorial(self, e: sp.Basic) -> int:
        return self.graph.fn("exp", self.graph.fn("lgamma", self(e.args[0] + 1)))

    def _gamma(self, e: sp.Basic) -> int:
        return self.graph.fn("exp", self.graph.fn("lgamma", self(e.args[0])))

    def _steady(self, e: Steady) -> int:
        return self.graph.fn("steady", self(e.args[0]))

    def _root(self, e: Root) -> int:
        """Newton's steps written out; only the last one is differentiated, which is exact at a root."""
        g, (index, equations, unknowns, guesses, reach) = self.graph, e.args
        slopes = [[f.diff(v) for v in unknowns] for f in equations]
        starts = [g.fn("steady", self(a)) for a in guesses]
        rooms = [g.fn("steady", self(a)) for a in reach]
        found = starts
        for _ in range(NEWTON):
            found = [g.fn("steady", a) for a in found]
            here = Lowering(g, {**self.parameters, **dict(zip(unknowns, found, strict=True))}, self.loops)
            f, jacobian = [here(a) for a in equations], [[here(a) for a in row] for row in slopes]
            if len(f) == 1:
                steps = [g.mul(f[0], g.inv(jacobian[0][0]))]
            else:
                (a, b), (c, d) = jacobian
                over = g.inv(g.sub(g.mul(a, d), g.mul(b, c)))
                steps = [g.mul(over, g.sub(g.mul(d, f[0]), g.mul(b, f[1]))), g.mul(over, g.sub(g.mul(a, f[1]), g.mul(c, f[0])))]
            found = [self._near(g.sub(x, s), x0, room) for x, s, x0, room in zip(found, steps, starts, rooms, strict=True)]
        return found[int(index)]

    def _near(self, x: int, centre: int, reach: int) -> int:
        """`x` where it lies within `reach` of `centre`, else the centre; a NaN is never near."""
        g = self.graph
        return g.sel(g.compare("lt", g.fn("abs", g.sub(x, centre)), reach), x, centre)

    # sums
    def _loop(self, e: Sum | LogSum | TiltSum) -> int:
        if e.variable not in self.loops:
            raise LoweringError(f"loop variable {e.variable} is not among the program's loops")
        return self.loops[e.variable]

    def _sum(self, e: Sum) -> int:
        loop, body = self._loop(e), e.args[0]
        return self.graph.red(loop, self(body))

    def _shifted(self, loop: int, exponent: int) -> tuple[int, int]:
        g = self.graph
        top = g.redmax(loop, exponent)
        return top, g.fn("exp", g.sub(exponent, top))

    def _log_sum(self, e: LogSum) -> int:
        loop, g = self._loop(e), self.graph
        top, weight = self._shifted(loop, self(e.args[0]))
        return g.add(top, g.fn("log", g.red(loop, weight)))

    def _tilt_sum(self, e: TiltSum) -> int:
        loop, g = self._loop(e), self.graph
        body = self(e.args[0])
        _, weight = self._shifted(loop, self(e.args[1]))
        return g.mul(g.red(loop, g.mul(weight, body)), g.inv(g.red(loop, weight)))
