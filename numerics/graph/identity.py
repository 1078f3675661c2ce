"""One hash per meaning: expressions serialised with bound variables numbered, so that equal theories meet in the cache."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import sympy as sp

from numerics.program import Program
from replica.theory import Theory

_SYMMETRIC = (sp.Add, sp.Mul, sp.Max, sp.Min, sp.And, sp.Or)


class _Writer:
    def __init__(self) -> None:
        self._shapes: dict[sp.Basic, str] = {}
        self._numbers: dict[sp.Basic, int] = {}
        self._lines: dict[sp.Basic, int] = {}
        self.text: list[str] = []

    def _shape(self, e: sp.Basic) -> str:
        """A hash that does not tell dummies of one name apart: the order in which symmetric arguments are visited."""
        found = self._shapes.get(e)
        if found is None:
            if e.args:
                inner = [self._shape(a) for a in e.args]
                text = type(e).__name__ + "(" + ",".join(sorted(inner) if isinstance(e, _SYMMETRIC) else inner) + ")"
            else:
                text = f"{type(e).__name__}:{e.name}" if isinstance(e, sp.Symbol) else sp.srepr(e)
            found = self._shapes[e] = hashlib.sha256(text.encode()).hexdigest()[:24]
        return found

    def __call__(self, e: sp.Basic) -> int:
        """Number of the line that describes `e`."""
        if e in self._lines:
            return self._lines[e]
        if isinstance(e, sp.Dummy):
            line = f"dummy {self._numbers.setdefault(e, len(self._numbers))}"
        elif e.args:
            args = sorted(e.args, key=self._shape) if isinstance(e, _SYMMETRIC) else e.args
            line = type(e).__name__ + " " + " ".join(str(self(a)) for a in args)
        else:
            line = sp.srepr(e)
        self.text.append(line)
        self._lines[e] = len(self.text) - 1
        return self._lines[e]

    def write(self, label: str, expressions: Sequence[sp.Basic]) -> None:
        numbers = [self(sp.sympify(e, strict=True)) for e in expressions]
        self.text.append(f"{label}: {numbers}")

    def hash(self) -> str:
        return hashlib.sha256("\n".join(self.text).encode()).hexdigest()


def identity(theory: Theory) -> str:
    """Hash of the equations and named results of a theory; its trail and starts do not matter here."""
    w, s = _Writer(), theory.system
    w.text.append(type(s).__name__)
    w.write("unknowns", [u.symbol for u in s.unknowns])
    w.text.append(str([str(u.domain) for u in s.unknowns]))
    w.write("controls", [c.symbol for c in theory.controls])
    w.text.append(str([str(c.domain) for c in theory.controls]))
    w.write("equations", s.equations)
    w.write("constraints", s.constraints)
    w.write("free entropy", [theory.free_entropy])
    for label, group in (
        ("order", theory.order_parameters),
        ("conjugate", theory.conjugates),
        ("observable", theory.observables),
        ("term", theory.terms),
    ):
        for name, e in group.items():
            w.write(f"{label} {name!r}", [e])
    return w.hash()


def program_identity(program: Program) -> str:
    """Hash of a program."""
    w = _Writer()
    w.write("unknowns", program.unknowns)
    w.write("controls", program.controls)
    w.write("equations", program.equations)
    for name, e in program.values.items():
        w.write(f"value {name!r}", [e])
    for loop in program.loops:
        w.write(f"loop {loop.rule.name}", [loop.variable, *loop.inside])
    w.write("constraints", program.constraints)
    w.text.append(f"iterated: {program.iterated}")
    return w.hash()
