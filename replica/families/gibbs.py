"""Gibbs learner at inverse temperature beta, with or without a teacher; beta = inf samples the solutions.

The unknown V = Q - q is the variance inside one draw of the disorder; with the self-overlap imposed (a sphere, signs)
it is the only one besides m, and q = Q - V.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import sympy as sp

from replica.families import rs
from replica.families.declared import declared
from replica.families.draft import Closing, Draft
from replica.families.equations import increments
from replica.families.lengths import imposed_norm, log_states
from replica.families.model import Underivable
from replica.families.observables import REPLICA_SYMMETRY, Predictor, prediction, replicon, squared
from replica.families.story import GAUSSIAN_FIELDS, REPLICA_TRICK, gauge_step, steps
from replica.nodes import Tilted
from replica.passes.gaussian import factored
from replica.symbols import POSITIVE, REAL, OrderParameter
from replica.theory import Start, Stationary, Step, Theory

_Unknown = tuple[OrderParameter, sp.Expr, sp.Expr]  # what, its equation, where to start


def theory(draft: Draft) -> Theory:
    """Equations for m, V (and q where the length is free) and their conjugates, the free entropy, observables."""
    system, opaque, alpha = draft.system, draft.opaque, draft.model.alpha
    m, q, Q = (system.symbol(o) for o in (rs.M, rs.Q, rs.Q_SELF))
    m_hat, q_hat, Q_hat = (system.symbol(o, True) for o in (rs.M, rs.Q, rs.Q_SELF))
    V, V_hat = sp.symbols("V V_hat", real=True)
    variance, curvature = increments(opaque, system)
    imposed = imposed_norm(draft.model.laws)
    own = {system.symbol(rs.RHO): draft.rho}
    length: dict[sp.Symbol, sp.Expr] = {}
    if imposed is None:
        overlap_chart, hat_chart = {Q: q + V}, {Q_hat: q_hat - V_hat}
    else:
        overlap_chart = {Q: imposed, q: imposed - V}
        hat_chart, length = _conjugate_of_norm(draft, imposed, variance)

    def energetic(e: sp.Expr) -> sp.Expr:
        return draft.closing.energetic(e.xreplace(own | overlap_chart))

    def entropic(e: sp.Expr) -> sp.Expr:
        closed = draft.closing.entropic(e).xreplace(hat_chart)
        return factored(closed).xreplace(length) if length else closed

    norm = imposed if imposed is not None else sp.S.One
    overlaps: list[_Unknown] = [
        (
            OrderParameter(V, "Q - q: variance of a weight inside one sample of the disorder", POSITIVE),
            entropic(variance),
            sp.Rational(9, 10) * norm,
        )
    ]
    hats: list[_Unknown] = [
        (OrderParameter(q_hat, "conjugate of q", POSITIVE), alpha * energetic(opaque.outputs[q_hat]), sp.Rational(1, 10) / norm)
    ]
    if imposed is None:
        overlaps.append((OrderParameter(q, "overlap of two replicas", POSITIVE), entropic(opaque.inputs[q]), sp.Rational(1, 10)))
        hats.append((OrderParameter(V_hat, "conjugate increment q_hat - Q_hat", REAL), alpha * energetic(curvature), sp.Rational(1, 2)))
    if draft.teacher:
        overlaps.insert(
            0, (OrderParameter(m, "overlap with the teacher", REAL), entropic(opaque.inputs[m]), sp.sqrt(draft.rho * norm) / 10)
        )
        hats.insert(0, (OrderParameter(m_hat, "conjugate of m", REAL), alpha * energetic(opaque.outputs[m_hat]), sp.Rational(1, 10)))
    trace = opaque.trace if draft.teacher else opaque.trace.xreplace({m: sp.S.Zero, m_hat: sp.S.Zero})
    terms = {
        "trace": -trace.xreplace(hat_chart).xreplace(overlap_chart | length),
        "entropic": entropic(opaque.entropic),
        "energetic": alpha * energetic(opaque.energetic),
    }
    free_entropy = sp.Add(*terms.values())
    self_overlap, overlap = overlap_chart[Q], q.xreplace(overlap_chart)
    observables = prediction(draft, Predictor(self_overlap, m)) if draft.teacher else {}
    if draft.teacher:
        observables["estimation_mse"] = draft.rho - 2 * m + self_overlap
    observables |= _energies(draft, own | overlap_chart, free_entropy)
    observables |= declared(draft, Predictor(self_overlap, m), observables)
    observables["replicon"] = replicon(draft, energetic(squared(curvature)), entropic(squared(variance)))
    unknowns = overlaps + hats
    names = {"q": overlap, "Q": self_overlap}
    conjugates = {"q_hat": q_hat, "Q_hat": Q_hat.xreplace(hat_chart).xreplace(length)}
    theory = Theory(
        name="",
        fingerprint="",
        controls=draft.model.controls,
        system=Stationary(
            tuple(u for u, _, _ in unknowns),
            tuple(e for _, e, _ in unknowns),
            constraints=((overlap,) if imposed is not None else ()) + ((draft.rho - m**2 / overlap,) if draft.teacher else ()),
            starts=(Start("uninformed", {u.symbol: s for u, _, s in unknowns}),),
        ),
        order_parameters=({"m": m} if draft.teacher else {}) | names,
        conjugates=({"m_hat": m_hat} if draft.teacher else {}) | conjugates,
        free_entropy=free_entropy,
        observables=observables,
        terms=terms,
        assumptions=(REPLICA_SYMMETRY, REPLICA_TRICK, GAUSSIAN_FIELDS),
        scores=draft.closing.scores(),
    )
    return replace(theory, trail=steps(draft, theory, (*gauge_step(draft), *_lengths(draft, overlap_chart, imposed))))


def _lengths(draft: Draft, chart: Mapping[sp.Symbol, sp.Expr], imposed: sp.Expr | None) -> tuple[Step, ...]:
    known = tuple(sp.Eq(s, e, evaluate=False) for s, e in chart.items())
    if imposed is None:
        return (Step("Increments", "the variance inside one sample of the disorder is the unknown, not the self-overlap", known),)
    prior = draft.model.laws.student_prior
    text = (
        "the prior fixes the length of every weight vector; the conjugate of the length is eliminated"
        if prior is not None and prior.pinned_norm() is not None
        else "every weight has the same length, so the conjugate of the length is a flat direction and set to zero"
    )
    return (Step("Imposed length", text, known),)


def _conjugate_of_norm(draft: Draft, norm: sp.Expr, variance: sp.Expr) -> tuple[dict, dict]:
    """Q_hat that keeps the length, and the value of what it is written in.

    Zero, a flat direction, where every weight has that length; else in terms of the stiffness 1/(Q - q), solved in closed form.
    """
    prior = draft.model.laws.student_prior
    assert prior is not None
    system = draft.system
    Q_hat = system.symbol(rs.Q_SELF, True)
    if prior.pinned_norm() is None:
        return {Q_hat: sp.S.Zero}, {}
    self_overlap = draft.closing.entropic(draft.opaque.inputs[system.symbol(rs.Q_SELF)])
    if self_overlap.atoms(Tilted):
        raise Underivable(f"an imposed length on the prior '{prior.kind}' has no closed form yet")
    stiffness = sp.Dummy("K", positive=True)
    (curvature,) = sp.solve(draft.closing.entropic(variance) - 1 / stiffness, Q_hat, check=False, simplify=False)
    equation = sp.together(self_overlap.xreplace({Q_hat: curvature}) - norm)
    return {Q_hat: curvature}, {stiffness: _physical(sp.solve(sp.numer(equation), stiffness, check=False, simplify=False))}


def _physical(roots: list[sp.Expr]) -> sp.Expr:
    """The root that is positive for positive parameters; of a quadratic with one sign change there is one."""
    for root in roots:
        values = {s: sp.Rational(3 + k, 4) for k, s in enumerate(sorted(root.free_symbols, key=str))}
        if root.xreplace(values).evalf() > 0:
            return root
    raise Underivable("no positive solution of the length constraint")


def _energies(draft: Draft, chart: Mapping[sp.Symbol, sp.Expr], free_entropy: sp.Expr) -> dict[str, sp.Expr]:
    """Mean loss per sample under the Gibbs measure and the entropy."""
    laws = draft.model.laws
    assert laws.loss is not None and laws.beta is not None
    states = log_states(laws)
    if laws.beta == sp.oo:
        return {"entropy": free_entropy + states, "training_loss": sp.S.Zero}
    if laws.regularizer is not None:
        return {}
    mean = _mean_loss(draft, chart)
    energy = draft.model.alpha * mean
    return {"training_loss": mean, "energy": energy, "entropy": free_entropy + laws.beta * energy + states}


def _mean_loss(draft: Draft, chart: Mapping[sp.Symbol, sp.Expr]) -> sp.Expr:
    """- d/d beta of the energetic term, at fixed overlaps."""
    laws = draft.model.laws
    beta = sp.Dummy("beta", positive=True)
    warm = Closing(replace(laws, beta=beta), draft.system.label)
    value = warm.energetic(draft.opaque.energetic.xreplace(dict(chart)))
    return -value.diff(beta).xreplace({beta: laws.beta})
