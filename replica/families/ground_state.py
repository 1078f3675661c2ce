"""Empirical risk minimisation: beta -> infinity, unknowns m, q, chi and their conjugates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import sympy as sp

from replica.convexity import is_convex
from replica.families import rs
from replica.families.declared import declared
from replica.families.draft import Draft
from replica.families.equations import ground_state_symbols
from replica.families.observables import REPLICA_SYMMETRY, Predictor, prediction, replicon, squared, with_body
from replica.families.story import GAUSSIAN_FIELDS, REPLICA_TRICK, gauge_step, steps
from replica.labels import SIGNS, DiscreteLabels, RealLabels
from replica.nodes import Moreau, Prox, ProxSlope
from replica.passes.proximal import closed_prox
from replica.symbols import POSITIVE, REAL, Domain, OrderParameter
from replica.theory import Assumption, Scores, Start, Stationary, Step, Theory

LIMITS = Assumption("limits", "the limits d -> infinity, n -> 0 and beta -> infinity may be taken in this order")


def theory(draft: Draft) -> Theory:
    """Equations x = G(x), the free entropy divided by beta (minus the energy per weight), observables."""
    s, opaque, alpha = ground_state_symbols(draft.system), draft.opaque, draft.model.alpha
    own = {draft.system.symbol(rs.RHO): draft.rho}
    energetic = lambda e: draft.closing.energetic(e.xreplace(own))  # noqa: E731
    entropic = draft.closing.entropic
    overlaps = [(s.q, "self-overlap of the minimiser", POSITIVE), (s.chi, "response, beta (Q - q)", POSITIVE)]
    conjugates = [
        (s.q_hat, "conjugate of chi: variance of the scores", POSITIVE),
        (s.chi_hat, "conjugate of q: mean curvature", _curvatures(draft)),
    ]
    if draft.teacher:
        overlaps.insert(0, (s.m, "overlap with the teacher", REAL))
        conjugates.insert(0, (s.m_hat, "conjugate of m", REAL))
    unknowns, equations = [], []
    for symbol, meaning, domain in overlaps:
        unknowns.append(OrderParameter(symbol, meaning, domain))
        equations.append(entropic(opaque.inputs[symbol]))
    for symbol, meaning, domain in conjugates:
        unknowns.append(OrderParameter(symbol, meaning, domain))
        equations.append(alpha * energetic(opaque.outputs[symbol]))
    terms = {
        "trace": -opaque.trace if draft.teacher else -opaque.trace.xreplace({s.m: sp.S.Zero, s.m_hat: sp.S.Zero}),
        "entropic": entropic(opaque.entropic),
        "energetic": alpha * energetic(opaque.energetic),
    }
    free_entropy = sp.Add(*terms.values())
    observables = prediction(draft, Predictor(s.q, s.m)) if draft.teacher else {}
    if draft.teacher:
        observables["estimation_mse"] = draft.rho - 2 * s.m + s.q
    observables |= _training(draft, energetic)
    observables["energy"] = -free_entropy
    observables |= declared(draft, Predictor(s.q, s.m), observables)
    observables["replicon"] = replicon(draft, energetic(squared(opaque.outputs[s.chi_hat])), entropic(squared(opaque.inputs[s.chi])))
    start: dict[sp.Symbol, sp.Expr] = {
        s.q: draft.rho / 2 if draft.teacher else sp.Rational(1, 2),
        s.chi: sp.S.One,
        s.q_hat: sp.Rational(1, 2),
        s.chi_hat: sp.Rational(1, 2),
    }
    if draft.teacher:
        start |= {s.m: draft.rho / 4, s.m_hat: sp.Rational(1, 2)}
    theory = Theory(
        name="",
        fingerprint="",
        controls=draft.model.controls,
        system=Stationary(
            tuple(unknowns),
            tuple(equations),
            constraints=(draft.rho - s.m**2 / s.q,) if draft.teacher else (),
            starts=(Start("uninformed", start),),
        ),
        order_parameters={str(x): x for x, _, _ in overlaps},
        conjugates={str(x): x for x, _, _ in conjugates},
        free_entropy=free_entropy,
        observables=observables,
        terms=terms,
        assumptions=(REPLICA_SYMMETRY, LIMITS, REPLICA_TRICK, GAUSSIAN_FIELDS),
        scores=_scores(draft),
    )
    return replace(theory, trail=steps(draft, theory, (*gauge_step(draft), _limit(draft))))


def _curvatures(draft: Draft) -> Domain:
    """What the mean curvature of the loss may be: positive where the loss is convex, any number where it bends down."""
    laws, y, z = draft.model.laws, sp.Dummy("y", real=True), sp.Dummy("z", real=True)
    assert laws.loss is not None
    labels = SIGNS if laws.channel is None else laws.channel.labels()
    if isinstance(labels, DiscreteLabels):
        probes = tuple(float(atom) for atom in labels.atoms)
    else:
        probes = (0.0, 1.0, 3.0, -1.0) if isinstance(labels, RealLabels) and labels.lower < 0 else (0.0, 1.0, 3.0)
    values = {control.name: float(control.value) for control in draft.model.controls}
    loss = laws.loss.formula(y, z)
    at = {symbol: values[symbol.name] for symbol in loss.free_symbols - {y, z}}
    return POSITIVE if all(is_convex(loss, z, at | {y: probe}) for probe in probes) else REAL


def _limit(draft: Draft) -> Step:
    system, s, beta = draft.system, ground_state_symbols(draft.system), sp.Symbol("beta")
    Q, Q_hat = system.symbol(rs.Q_SELF), system.symbol(rs.Q_SELF, True)
    scalings = (
        sp.Eq(Q, s.q + s.chi / beta, evaluate=False),
        sp.Eq(sp.Symbol("q_ab_hat"), beta**2 * s.q_hat, evaluate=False),
        sp.Eq(Q_hat, beta**2 * s.q_hat - beta * s.chi_hat, evaluate=False),
    )
    text = (
        "beta -> infinity, taken before any derivative: replicas differ by chi/beta, conjugates grow; all powers of beta must cancel, "
        "the student's leaves become a Moreau envelope (sample) and a maximum (weight), and Phi is divided by beta"
    )
    terms = (
        sp.Eq(sp.Symbol("log I_S"), draft.opaque.entropic, evaluate=False),
        sp.Eq(sp.Symbol("log I_E"), draft.opaque.energetic, evaluate=False),
    )
    return Step("Zero temperature", text, scalings + terms, LIMITS)


def minimizer_scores(loss: Callable[[sp.Expr, sp.Expr], sp.Expr], penalty: Callable[[sp.Expr], sp.Expr]) -> Scores:
    """The proximal maps of a loss of label and field, and of a penalty on a weight, as scalar functions for message passing."""
    y, omega, V, A, B = (sp.Symbol(n, real=True) for n in ("y", "omega", "V", "A", "B"))
    u, w = sp.Dummy("u", real=True), sp.Dummy("w", real=True)
    output, weight = (loss(y, u), u, V, omega), (penalty(w), w, 1 / A, B / A)
    maps = ((Prox(*output) - omega) / V, (ProxSlope(*output) - 1) / V, Prox(*weight), ProxSlope(*weight) / A)
    found = (*maps, -Moreau(*output), B**2 / (2 * A) - Moreau(*weight))
    return Scores(y, omega, V, A, B, *(closed_prox(e) for e in found))


def _scores(draft: Draft) -> Scores:
    laws = draft.model.laws
    assert laws.loss is not None
    return minimizer_scores(laws.loss.formula, laws.regularizer.formula if laws.regularizer is not None else lambda w: sp.S.Zero)


def _training(draft: Draft, energetic) -> dict[str, sp.Expr]:
    """Mean loss per sample at the minimiser, and its error rate for sign labels."""
    y = draft.system.label
    moreau = next(iter(draft.opaque.energetic.atoms(Moreau)))
    point = Prox(*moreau.args)
    loss = moreau - (point - moreau.h) ** 2 / (2 * moreau.chi)
    found = {"training_loss": energetic(with_body(draft.opaque.energetic, loss))}
    channel = draft.model.laws.channel
    if channel is None or channel.labels() == SIGNS:
        found["training_error"] = energetic(with_body(draft.opaque.energetic, sp.Heaviside(-y * point, sp.Rational(1, 2))))
    return found
