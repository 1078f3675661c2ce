"""What a student's prior says of its length and of the number of its states."""

from __future__ import annotations

import sympy as sp

from replica.families.model import STUDENT, LocalLaws, Underivable
from replica.law import Atom


def imposed_norm(laws: LocalLaws) -> sp.Expr | None:
    """|w|^2/d where the student's prior fixes it: a sphere, or atoms of one length."""
    prior = laws.student_prior
    if prior is None:
        raise Underivable("a Gibbs learner needs a prior (its reference measure)")
    if prior.pinned_norm() is not None:
        return prior.pinned_norm()
    law = laws.entropic(STUDENT)
    lengths = {sp.expand(p.location**2) if isinstance(p, Atom) else None for p in law}
    return lengths.pop() if len(lengths) == 1 and None not in lengths else None


def log_states(laws: LocalLaws) -> sp.Expr:
    """log of the number of values of a weight, where the prior is uniform on a finite set: entropies then count states.

    Elsewhere the entropy is relative to the prior: the log of a fraction of volume.
    """
    if laws.student_prior is None:
        return sp.S.Zero
    law = laws.entropic(STUDENT)
    uniform = all(isinstance(p, Atom) for p in law) and len({p.log_weight for p in law if isinstance(p, Atom)}) == 1
    return sp.log(len(law)) if uniform else sp.S.Zero
