"""The trail of a static derivation: what was done, the formula reached, the assumption it needs."""

from __future__ import annotations

import sympy as sp

from replica.families import rs
from replica.families.draft import Draft
from replica.theory import Assumption, Step, Theory

GAUSSIAN_FIELDS = Assumption(
    "gaussian_inputs", "inputs are i.i.d. with unit variance, so the fields of all replicas are jointly Gaussian as d grows"
)
REPLICA_TRICK = Assumption("replica_trick", "E log Z is the derivative of log E Z^n at n = 0, continued from integer n")


def steps(draft: Draft, theory: Theory, limits: tuple[Step, ...]) -> tuple[Step, ...]:
    """From the replicated partition function to the saddle point.

    Args:
        limits: what this protocol adds between the replica limit and the equations (temperature, Nishimori, lengths).
    """
    system = draft.system
    tree = system.tree
    phi = sp.Symbol("Phi")
    pairs = [sp.Mul(c, tree.symbol(o), tree.symbol(o, hat=True), evaluate=False) for o, c in tree.order_parameters().items()]
    counts = ", ".join(f"{tree.name(o)}: {c}" for o, c in tree.overlaps().items() if tree.name(o) != "rho_0")
    found = [
        Step("Replicated partition function", _measure(draft), _energy(draft)),
        Step(
            "Overlaps",
            "averaged over the inputs, the fields of teacher and replicas are Gaussian with covariance Q_ab = w_a.w_b/d; "
            "one conjugate Q_hat_ab fixes each overlap, and weights and samples decouple",
            (),
            GAUSSIAN_FIELDS,
        ),
        Step(
            "Ansatz",
            "all replicas alike"
            + (": teacher and n students" if draft.teacher else f": {sp.Symbol('n')} students")
            + f"; pairs of replicas per overlap ({counts}), and the part linear in n is kept",
            (sp.Eq(sp.Symbol("trace"), tree.trace(), evaluate=False),) if pairs else (),
            REPLICA_TRICK,
        ),
        Step(
            "Entropic term", "one weight in the field of the conjugates", (sp.Eq(sp.Symbol("log I_S"), draft.raw.entropic, evaluate=False),)
        ),
        Step(
            "Energetic term", "one sample in the field of the overlaps", (sp.Eq(sp.Symbol("log I_E"), draft.raw.energetic, evaluate=False),)
        ),
        *limits,
        Step(
            "Closed forms",
            "leaves are replaced by the integrals of their laws, squares are completed, polynomials and half planes integrated",
            (sp.Eq(phi, theory.free_entropy, evaluate=False),),
        ),
        Step(
            "Saddle point",
            "stationarity in every overlap and conjugate: conjugates are averages of products of scores, "
            "overlaps of products of tilted means",
            tuple(sp.Eq(u.symbol, e, evaluate=False) for u, e in zip(theory.system.unknowns, theory.system.equations, strict=True)),
        ),
    ]
    return tuple(found)


def gauge_step(draft: Draft) -> tuple[Step, ...]:
    """The teacher's own overlap is no order parameter."""
    if not draft.teacher:
        return ()
    m, q = draft.system.symbol(rs.M), draft.system.symbol(rs.Q)
    text = (
        "the teacher stands once, so its overlap with itself at the root is free; "
        "the smallest one makes its field a function of the student's"
    )
    return (Step("Teacher given the student", text, (sp.Eq(draft.system.symbol(rs.GAUGE), m**2 / q, evaluate=False),)),)


def _measure(draft: Draft) -> str:
    laws = draft.model.laws
    if laws.bayes:
        return (
            "Z is the evidence: the prior times the channel of every sample, integrated over the weights; "
            "its n-th power is averaged over teacher and data"
        )
    labels = "labels from the teacher" if draft.teacher else "random labels"
    return f"Z is the integral of exp(-beta energy) over the weights, {labels}; its n-th power is averaged over the data"


def _energy(draft: Draft) -> tuple[sp.Basic, ...]:
    laws = draft.model.laws
    if laws.loss is None:
        return ()
    y, z, w = sp.Symbol("y"), sp.Symbol("z"), sp.Symbol("w")
    found: tuple[sp.Basic, ...] = (sp.Eq(sp.Symbol("loss"), laws.loss.formula(y, z), evaluate=False),)
    if laws.regularizer is not None:
        found += (sp.Eq(sp.Symbol("regularizer"), laws.regularizer.formula(w), evaluate=False),)
    return found
