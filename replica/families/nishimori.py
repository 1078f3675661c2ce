"""Nishimori: a student with the teacher's own laws is indistinguishable from another teacher.

The pass is structural.  It renames the teacher's overlaps and leaves to the student's and must then find that the teacher's
equations have become the student's; otherwise it refuses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import sympy as sp

from replica.families import rs
from replica.families.equations import Opaque
from replica.families.model import STUDENT, TEACHER, inverse_temperature
from replica.families.rs import ReplicaSymmetric
from replica.passes.walk import bottom_up
from replica.tree import Leaf


class NotNishimori(ValueError):
    """Teacher and student equations differ after the substitution."""


def nishimori(opaque: Opaque, system: ReplicaSymmetric, rho: sp.Expr) -> Opaque:
    """m = q, Q = rho, m_hat = q_hat, Q_hat = 0: one overlap and its conjugate are left."""
    s = system.symbol
    same = {
        s(rs.M): s(rs.Q),
        s(rs.M, True): s(rs.Q, True),
        s(rs.Q_SELF): rho,
        s(rs.RHO): rho,
        s(rs.Q_SELF, True): sp.S.Zero,
        inverse_temperature(STUDENT): sp.S.One,
    }

    def rename(expression: sp.Expr) -> sp.Expr:
        def visit(e):
            return Leaf(STUDENT, *e.args[1:]) if isinstance(e, Leaf) and e.species == TEACHER else e

        return bottom_up(expression.xreplace(same), visit)

    def table(entries: Mapping[sp.Symbol, sp.Expr]) -> dict[sp.Symbol, sp.Expr]:
        return {k: rename(v) for k, v in entries.items()}

    outputs, inputs = table(opaque.outputs), table(opaque.inputs)
    if outputs[s(rs.M, True)] != outputs[s(rs.Q, True)] or inputs[s(rs.M)] != inputs[s(rs.Q)]:
        raise NotNishimori("teacher and student do not carry the same laws: their equations differ after m = q")
    return replace(
        opaque,
        trace=opaque.trace.xreplace(same),
        energetic=rename(opaque.energetic),
        entropic=rename(opaque.entropic),
        outputs=outputs,
        inputs=inputs,
    )
