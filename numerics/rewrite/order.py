"""Which measure of an average stands outside: splitting joint normal laws, fields before what moves them, nesting by what each reads."""

from __future__ import annotations

from collections.abc import Sequence

import sympy as sp

from numerics.reads import AVERAGES, PROXIMAL, free
from numerics.rewrite.errors import RewriteError
from numerics.rewrite.facts import Facts
from numerics.rewrite.walk import coefficients, parts, substitute
from replica.nodes import Discrete, Flat, Gauss, Measure


def scalars(measures: Sequence[Measure], contents: tuple[sp.Basic, ...], facts: Facts) -> tuple[list[Measure], dict[sp.Basic, sp.Expr]]:
    """Measures of one variable each, joint normal laws conditioned one variable on the next; and variables without variance,
    which become their means."""
    fields = prox_fields(contents)
    found: list[Measure] = []
    fixed: dict[sp.Basic, sp.Expr] = {}
    pending = list(measures)
    for m in _joined(pending, contents, fields):
        if not isinstance(m, Gauss):
            found.append(m)
            continue
        order = sorted(range(len(m.variables)), key=lambda i: m.variables[i] in fields)  # the field of a prox comes last: inside
        means = [m.means[i] for i in order]
        covariance = [[m.covariance[i, j] for j in order] for i in order]
        variables = [m.variables[i] for i in order]
        while variables:
            v, mean, row = variables.pop(0), means.pop(0), covariance.pop(0)
            variance, cross = row[0], row[1:]
            covariance = [r[1:] for r in covariance]
            if facts.vanishes(variance):
                fixed[v] = mean
                continue
            found.append(Gauss([v], [mean], [[variance]]))
            means = [a + c / variance * (v - mean) for a, c in zip(means, cross, strict=True)]
            covariance = [[e - a * b / variance for e, b in zip(r, cross, strict=True)] for r, a in zip(covariance, cross, strict=True)]
    while any(fixed.keys() & free(e) for e in fixed.values()):
        fixed = {v: substitute(e, fixed) for v, e in fixed.items()}
    return [substitute(m, fixed) for m in found], fixed


def fields_first(measures: list[Measure], contents: tuple[sp.Basic, ...], tilt: int) -> tuple[list[Measure], tuple[sp.Basic, ...]]:
    """A field h ~ N(a + b w, c) before the weight w that moves it, where averages inside read h and not w.

    They are then taken once for every h, and not once for every h of every w; contents[tilt] gets the density of h given w.  The field
    is counted in units of its spread if w has spread one.
    """
    for outer in measures:
        for field in measures if isinstance(outer, Flat) else ():
            (w,), line = outer.variables, coefficients(field.means[0], outer.variables[0], 1) if isinstance(field, Gauss) else None
            if line is None or len(line) != 2 or (free(line[1]) | free(field.covariance) | _inner_reads(contents, field)) & {w}:
                continue
            h, variance, others = field.variables[0], field.covariance[0, 0], [m for m in measures if m not in (outer, field)]
            if not any(h in free(p) for c in contents for p, _ in parts(c) if isinstance(p, AVERAGES)):
                continue
            if any({w, h} & free(m) for m in (outer, *others)):
                continue
            spread, x = sp.sqrt(variance + line[1] ** 2), sp.Dummy(h.name, real=True)
            log_density = -((h - field.means[0]) ** 2) / (2 * variance) - sp.log(2 * sp.pi * variance) / 2 + sp.log(spread)
            found = [c + log_density if i == tilt else c for i, c in enumerate(contents)]
            return [Flat(x, -sp.oo, sp.oo), outer, *others], tuple(substitute(c, {h: x * spread}) for c in found)
    return measures, contents


def _inner_reads(contents: tuple[sp.Basic, ...], field: Gauss) -> set[sp.Symbol]:
    """What else the averages read that read a field."""
    h = field.variables[0]
    return {s for c in contents for p, _ in parts(c) if isinstance(p, AVERAGES) and h in free(p) for s in free(p)}


def prox_fields(contents: tuple[sp.Basic, ...]) -> set[sp.Symbol]:
    """Variables that are fields of proximal points in `contents`."""
    return {s for c in contents for part, _ in parts(c) if isinstance(part, PROXIMAL) for s in free(part.h)}


def _joined(measures: list[Measure], contents: tuple[sp.Basic, ...], fields: set[sp.Symbol]) -> list[Measure]:
    """Normal laws merged where one reads the field of a prox whose loss reads it: the field must be integrated inside."""
    for inner in measures:
        outer = [m for m in measures if isinstance(m, Gauss) and set(m.variables) & fields & free(inner)]
        read = {s for c in contents for p, _ in parts(c) if isinstance(p, PROXIMAL) for s in free(p.loss) | free(p.chi)}
        if not isinstance(inner, Gauss) or not outer or not read & set(inner.variables):
            continue
        merged = _join(outer[0], inner)
        if merged is not None:
            rest = [m for m in measures if m not in (inner, outer[0])]
            return _joined([merged, *rest], contents, fields)
    return measures


def _join(outer: Gauss, inner: Gauss) -> Gauss | None:
    """The joint law of `outer` and of `inner`, whose means are affine in the variables of `outer`; None if they are not."""
    n, k = len(outer.variables), len(inner.variables)
    if free(inner.covariance) & set(outer.variables):
        return None
    slopes = sp.zeros(k, n)
    for i, mean in enumerate(inner.means):
        for j, v in enumerate(outer.variables):
            line = coefficients(mean, v, 1)
            if line is None or (len(line) == 2 and free(line[1]) & set(outer.variables)):
                return None
            slopes[i, j] = line[1] if len(line) == 2 else 0
    at_mean = dict(zip(outer.variables, outer.means, strict=True))
    means = [*outer.means, *(substitute(m, at_mean) for m in inner.means)]
    C = sp.Matrix(outer.covariance)
    cross = slopes * C
    covariance = sp.Matrix(sp.BlockMatrix([[C, cross.T], [cross, cross * slopes.T + sp.Matrix(inner.covariance)]]))
    return Gauss([*outer.variables, *inner.variables], means, covariance)


def outermost(measures: Sequence[Measure], contents: tuple[sp.Basic, ...], discrete_inside: bool) -> int:
    """Position of a measure that reads no other's variable.

    Among those, fields of proximal points stand inside, then explicit densities; a discrete variable stands inside too for a
    logarithm (its atoms then share one loop), outside for a plain sum (its atoms then have their own kinks).
    """
    free_ones = []
    for i, m in enumerate(measures):
        others = {v for j, o in enumerate(measures) if j != i for v in o.variables}
        if not free(m) & others:
            free_ones.append(i)
    if not free_ones:
        raise RewriteError(f"the measures over {', '.join(str(v) for m in measures for v in m.variables)} read each other in a circle")
    if len(free_ones) == 1:
        return free_ones[0]
    fields = prox_fields(contents)

    def depth(i: int) -> int:
        m = measures[i]
        if isinstance(m, Discrete):
            return 2 if discrete_inside else -1
        if set(m.variables) & fields:
            return 3
        return 0 if isinstance(m, Flat) else 1

    return min(free_ones, key=depth)
