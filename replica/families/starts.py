"""Where learners at an imposed overlap start: one as a noisy copy of the other, so that every covariance is positive."""

from __future__ import annotations

from collections.abc import Sequence

import sympy as sp

from replica.families.lengths import imposed_norm
from replica.families.model import LocalLaws, second_moment


def starting_length(laws: LocalLaws, held: sp.Expr) -> sp.Expr:
    """|w|^2/d to start from: the imposed one, else that of the prior, with room for an overlap that is held."""
    norm = imposed_norm(laws)
    if norm is not None or laws.student_prior is None:
        return norm if norm is not None else sp.S.One
    moment = second_moment(laws.student_prior)
    return sp.sqrt(moment**2 + held**2) if moment.is_number else sp.S.One


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
