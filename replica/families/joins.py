"""What joins learners of a spec: overlaps that are held at a value, and overlaps on which a coupling presses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy as sp

from replica.families.model import LocalLaws, Underivable, prior_law
from replica.families.reading import StaticModel
from replica.families.structure import Structure
from replica.formula import exact, parse
from replica.law import Atom
from replica.tree import Overlap

Press = dict[str, sp.Expr]


def joins(
    spec: Any, structure: Structure, models: Mapping[str, StaticModel], copied: Mapping[str, sp.Expr]
) -> tuple[dict[str, sp.Expr], Press]:
    """(overlap name -> value held, overlap name -> log-weight per w w', of the length per w^2/2).

    Args:
        copied: learner -> how many real replicas of it couple to one partner.

    Raises:
        Underivable: a coupling that overlaps do not carry.
    """
    imposed: dict[str, sp.Expr] = {}
    pressed: Press = {}
    staged = {name: stage.couple for stage in spec.stages if stage.couple for name in stage.learners}
    for name, learner in spec.learners.items():
        for term in staged.get(name) or learner.couple or ():
            if term.to not in spec.learners:
                raise Underivable(f"couple.to: a coupling to '{term.to}' has no static theory yet (built: to another learner)")
            key = _deepest(structure, term.to, name)
            names = models[name].names
            if term.overlap is not None:
                imposed[key] = parse(term.overlap, names) if isinstance(term.overlap, str) else exact(term.overlap)
                continue
            cross, own, other = _quadratic(_log_weight(term, models[name]), term.to, models[name].laws, models[term.to].laws)
            pressed[key] = pressed.get(key, sp.S.Zero) + cross
            for species, square in ((name, own), (term.to, other * copied.get(name, sp.S.One))):
                if square == 0:
                    continue
                if name == term.to or not {name, term.to} <= set(structure.levels[0].tree.root.species()):
                    raise Underivable(f"couple: squares of weights are built for two learners of one stage, found {name} and {term.to}")
                length = structure.levels[0].tree.name(Overlap(None, species, species))
                pressed[length] = pressed.get(length, sp.S.Zero) + 2 * square
    return imposed, pressed


def _deepest(structure: Structure, a: str, b: str) -> str:
    """The overlap of two learners of one and the same replica."""
    found = [(level.tree.name(o)) for level in structure.levels for o in level.own if o.node is not None and {o.first, o.second} == {a, b}]
    if not found:
        raise Underivable(f"couple: {a} and {b} do not meet in one replica")
    return found[-1]


def _log_weight(term: Any, model: StaticModel) -> sp.Expr:
    """What a coupling adds to the log-measure of every coordinate, in w and w_NAME."""
    w, other = _pair(term.to)
    names = {**model.names, "w": w, f"w_{term.to}": other}
    if term.log_weight is not None:
        return parse(term.log_weight, names)
    beta = model.laws.beta
    if beta is None or beta == sp.oo:
        raise Underivable("couple: a coupling in the energy needs a finite beta; write log_weight, which is not multiplied by beta")
    if term.strength is not None:
        strength = parse(term.strength, names) if isinstance(term.strength, str) else exact(term.strength)
        return -beta * strength * (w - other) ** 2 / 2
    return -beta * parse(term.formula, names)


def _pair(to: str) -> tuple[sp.Symbol, sp.Symbol]:
    return sp.Symbol("w", real=True), sp.Symbol(f"w_{to}", real=True)


def _quadratic(formula: sp.Expr, to: str, own: LocalLaws, partner: LocalLaws) -> tuple[sp.Expr, sp.Expr, sp.Expr]:
    """Coefficients of w w_to, w^2 and w_to^2; of weights of two opposite values any formula without a field has them."""
    w, other = _pair(to)
    a, b = _opposite(own), _opposite(partner)
    if a is not None and b is not None:
        even = sp.Add(*(formula.xreplace({w: i * a, other: j * b}) for i in (1, -1) for j in (1, -1))) / 4
        odd = sp.Add(*(i * j * formula.xreplace({w: i * a, other: j * b}) for i in (1, -1) for j in (1, -1))) / 4
        fields = [formula.xreplace({w: a, other: b}) - formula.xreplace({w: -a, other: -b})]
        fields.append(formula.xreplace({w: a, other: -b}) - formula.xreplace({w: -a, other: b}))
        if all(sp.simplify(f) == 0 for f in fields):
            return sp.simplify(odd) / (a * b), sp.simplify(even) / a**2, sp.S.Zero
    else:
        expanded = sp.expand(formula)
        cross, square, partners = expanded.coeff(w, 1).coeff(other, 1), expanded.coeff(w, 2), expanded.coeff(other, 2)
        rest = sp.expand(expanded - cross * w * other - square * w**2 - partners * other**2)
        if rest == 0 and not (cross.free_symbols | square.free_symbols | partners.free_symbols) & {w, other}:
            return cross, square, partners
    raise Underivable(f"couple: {formula} is no sum of multiples of w*w_{to} and squares of weights; other couplings have no theory yet")


def _opposite(laws: LocalLaws) -> sp.Expr | None:
    """a > 0 where weights are a or -a."""
    values = (
        {p.location if isinstance(p, Atom) else None for p in prior_law(laws.student_prior)} if laws.student_prior is not None else {None}
    )
    size = max((v for v in values if v is not None and v.is_positive), key=float, default=None)
    return size if size is not None and values == {size, -size} else None
