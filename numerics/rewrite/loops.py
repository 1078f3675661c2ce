"""Loop variables and long scalars: equal things get one name, so that kernels make one pass and SymPy carries short terms."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import sympy as sp

from numerics.program import Loop, Rule
from numerics.reads import REDUCTIONS, free
from numerics.rewrite.walk import raw, transform


@dataclass
class Loops:
    """The loop variables handed out so far, outer loops before those inside them, and the scalars held under a short name."""

    _known: dict[tuple[object, ...], sp.Dummy] = field(default_factory=dict)
    _rules: dict[sp.Symbol, Rule] = field(default_factory=dict)
    _names: dict[sp.Expr, sp.Dummy] = field(default_factory=dict)
    _held: dict[sp.Basic, sp.Basic] = field(default_factory=dict)
    spreads: dict[sp.Symbol, sp.Expr] = field(default_factory=dict)  # standard deviations of loop variables that are normal
    _reads: dict[sp.Basic, set[sp.Symbol]] = field(default_factory=dict)  # loop variables that a held scalar reads

    def variable(self, rule: Rule, form: tuple[sp.Basic, ...], contents: Iterable[sp.Basic]) -> sp.Dummy:
        """The variable of a loop over `form`; `contents` are what it sums, which may read outer loops."""
        outer = frozenset().union(*(self._outer(c) for c in (*contents, *form)))
        key = (rule, *form, outer)
        if key not in self._known:
            name = {Rule.LINE: "t", Rule.UNIT: "xi", Rule.RAY: "xi", Rule.FIELD: "s", Rule.COUNT: "k"}[rule]
            dummy = sp.Dummy(f"{name}{len(self._known)}", real=True)
            self._known[key] = dummy
            self._rules[dummy] = rule
        return self._known[key]

    def reads_outer(self, contents: Iterable[sp.Basic]) -> bool:
        """Does any of `contents` read a loop variable handed out before?"""
        return any(self._outer(c) for c in contents)

    def hold(self, scalar: sp.Expr) -> sp.Expr:
        """A symbol for `scalar` until `release`; numbers and symbols stand for themselves."""
        if not scalar.args or scalar.is_number:
            return scalar
        if scalar not in self._names:
            name = sp.Dummy(f"s{len(self._names)}", real=True)
            self._names[scalar], self._held[name] = name, scalar
        return self._names[scalar]

    def name(self, symbol: sp.Dummy, value: sp.Expr) -> None:
        """Let `symbol` stand for `value` until `release`."""
        self._held[symbol] = value

    def release(self, expressions: Iterable[sp.Expr]) -> list[sp.Expr]:
        """Expressions with every held scalar written out."""
        done: dict[sp.Basic, sp.Basic] = {}

        def visit(e: sp.Basic) -> sp.Basic | None:
            return transform(self._held[e], visit, done, raw) if e in self._held else None

        return [transform(e, visit, done, raw) for e in expressions]

    def used(self, expressions: Iterable[sp.Expr]) -> tuple[Loop, ...]:
        """The loops that occur in `expressions`, each with the outer loops that its bodies read, or those read outside it."""
        reads: dict[sp.Symbol, set[sp.Symbol]] = {}
        seen: dict[sp.Basic, set[sp.Symbol]] = {}

        def visit(e: sp.Basic) -> set[sp.Symbol]:
            if e not in seen:
                found = {e} if e in self._rules else set().union(*(visit(a) for a in e.args))
                if isinstance(e, REDUCTIONS):
                    found = found - {e.variable}
                    reads.setdefault(e.variable, set()).update(found)
                seen[e] = found
            return seen[e]

        for expr in expressions:
            visit(expr)
        order = {v: i for i, v in enumerate(self._rules)}
        for v in sorted(reads, key=order.__getitem__):
            reads[v] = reads[v].union(*(reads[outer] for outer in reads[v]))
        return tuple(Loop(v, rule, tuple(sorted(reads[v], key=order.__getitem__))) for v, rule in self._rules.items() if v in reads)

    def _outer(self, e: sp.Basic) -> set[sp.Symbol]:
        """Loop variables that `e` reads, through held scalars too."""
        found: set[sp.Symbol] = set()
        for s in free(e):
            if s in self._rules:
                found.add(s)
            elif s in self._held:
                if s not in self._reads:
                    self._reads[s] = self._outer(self._held[s])
                found |= self._reads[s]
        return found

