"""Where learners at an imposed overlap start: one as a noisy copy of the other, so that every covariance is positive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sympy as sp

from replica.families.lengths import imposed_norm
from replica.families.model import LocalLaws, second_moment

EASY = (sp.S.Half, sp.Rational(4, 5))  # correlations that equations are solved at from a start
FEW = sp.Integer(3)  # real replicas


def starting_length(laws: LocalLaws, held: sp.Expr) -> sp.Expr:
    """|w|^2/d to start from: the imposed one, else that of the prior, with room for an overlap that is held."""
    length = typical_length(laws)
    return length if laws.student_prior is None or imposed_norm(laws) is not None else sp.sqrt(length**2 + held**2)


def typical_length(laws: LocalLaws) -> sp.Expr:
    """|w|^2/d that the prior imposes or has on average; 1 where it is no number."""
    if laws.student_prior is None:
        return sp.S.One
    norm = imposed_norm(laws)
    moment = norm if norm is not None else second_moment(laws.student_prior)
    return moment if norm is not None or moment.is_number else sp.S.One


def gathered(centre: Sequence[sp.Expr], share: sp.Expr, count: int, top: sp.Expr) -> list[sp.Expr]:
    """Increments of the overlaps of copies w = c w_centre + noise, in units of their length.

    Args:
        centre: increments of the centre's own overlaps, its variance inside last, in units of its length.
        share: c^2, the part of the length that is the centre's.
        count: number of increments.
        top: part of the noise that copies have in common.
    """
    outer = len(centre) - count + 1
    merged = [sp.Add(*centre[:outer]), *centre[outer:]] if outer > 0 else [*[sp.S.Zero] * (1 - outer), *centre]
    return [share * part + top * (1 - share) / count for part in merged]


def nearer(alone: Sequence[sp.Expr], share: sp.Expr) -> list[sp.Expr]:
    """Increments of copies that a center gathers, in units of their length: it shares out what one alone has inside, and no more.

    Args:
        alone: increments of one of them without the others.
        share: part of the length that is the center's; copies vary by no more than the rest.
    """
    rest = 1 - sp.Add(*alone)
    inside = 1 / (1 / rest + (share + sp.Rational(1, 10)) / (1 - share))
    return [*alone, rest - inside]


def easy_values(held: Sequence[tuple[sp.Expr, sp.Expr]], copies: sp.Expr | None) -> tuple[Mapping[sp.Symbol, sp.Expr], ...]:
    """Values of controls that bring imposed overlaps to an easy correlation, then with few real replicas too.

    Args:
        held: (overlap as an expression of controls, length in its units); one that no control moves stays as it is.
        copies: number of real replicas, None where there are none.
    """
    ways: list[dict[sp.Symbol, sp.Expr]] = []
    for part in EASY:
        way: dict[sp.Symbol, sp.Expr] = {}
        for value, scale in held:
            for control in sorted(value.free_symbols - way.keys(), key=str):
                slope = value.diff(control)
                if slope != 0 and not slope.free_symbols:
                    way[control] = control + (part * scale - value) / slope
                    break
        if way and way not in ways:
            ways.append(way)
    if isinstance(copies, sp.Symbol):
        ways += [{**way, copies: FEW} for way in ways]
    return tuple(ways)
