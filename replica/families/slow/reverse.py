"""Derivatives of a function of arrays in index notation, carried backwards through the definitions that it is written with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sympy as sp

from replica.theory import Definition


def contracted(e: sp.Expr) -> sp.Expr:
    """The expression with every sum over an index that a Kronecker delta fixes carried out."""
    if not e.args or isinstance(e, sp.Indexed):
        return e
    if not isinstance(e, sp.Sum):
        return e.func(*map(contracted, e.args))
    total = sp.S.Zero
    for term in sp.Add.make_args(sp.expand(contracted(e.function))):
        limits = list(e.limits)
        for limit in e.limits:
            for delta in term.atoms(sp.KroneckerDelta):
                if limit[0] in delta.args:
                    (other,) = (part for part in delta.args if part != limit[0])
                    term = (term / delta).xreplace({limit[0]: other})
                    limits.remove(limit)
                    break
        total += sp.Sum(term, *limits) if limits else term
    return total


def slope(e: sp.Expr, element: sp.Indexed) -> sp.Expr:
    """de/d element, whose indices are none of those that sums in e run over."""
    return contracted(sp.expand(_slope(e, element)))


def _slope(e: sp.Expr, element: sp.Indexed) -> sp.Expr:
    """With a delta for every element met; SymPy's own derivative of a sum asks many questions that do not arise here."""
    if not e.has(element.base):
        return sp.S.Zero
    if isinstance(e, sp.Indexed):
        return sp.Mul(*(sp.KroneckerDelta(own, other) for own, other in zip(e.indices, element.indices, strict=True)))
    if isinstance(e, sp.Sum):
        return sp.Sum(_slope(e.function, element), *e.limits)
    if e.is_Add:
        return sp.Add(*(_slope(term, element) for term in e.args))
    if e.is_Mul:
        return sp.Add(*(sp.Mul(*e.args[:n], _slope(part, element), *e.args[n + 1 :]) for n, part in enumerate(e.args)))
    assert e.is_Pow and not e.exp.has(element.base)
    return e.exp * e.base ** (e.exp - 1) * _slope(e.base, element)


def adjoints(
    value: sp.Expr,
    made: Sequence[Definition],
    names: Mapping[sp.IndexedBase, sp.IndexedBase],
    bound: Mapping[sp.Symbol, sp.Symbol],
    wanted: Sequence[sp.Indexed],
) -> tuple[tuple[Definition, ...], tuple[sp.Expr, ...]]:
    """Derivatives of a value in elements that it mentions itself and through definitions.

    Args:
        made: in the order of computation; the indices of their targets are symbols.
        names: array of a definition -> array of the derivative in it.
        bound: index of a target -> the index of a sum over it.
        wanted: elements.  No index of a target or of these is one that a sum in `value` or in a definition runs over.

    Returns:
        The definitions of the derivatives in what is defined, in the order of computation, and those in `wanted`.
    """
    found: list[Definition] = []

    def whole(element: sp.Indexed) -> sp.Expr:
        fresh = {index: sp.Dummy(str(index), integer=True) for index in element.indices if isinstance(index, sp.Symbol)}
        place = element.xreplace(fresh)
        total = slope(value, place)
        for source in made:
            if source.value.has(element.base):
                weight = names[source.target.base][source.target.indices]
                ranges = [(bound[index], low, high) for index, low, high in source.ranges]
                total += contracted(sp.Sum(sp.expand((weight * slope(source.value, place)).xreplace(bound)), *ranges))
        return total.xreplace({dummy: index for index, dummy in fresh.items()})

    for definition in reversed(made):
        found.append(Definition(names[definition.target.base][definition.target.indices], definition.ranges, whole(definition.target)))
    return tuple(found), tuple(whole(element) for element in wanted)
