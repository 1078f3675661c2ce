"""Theories typed in by hand, in the textbook form.  Independent of the derivation, and food for compiler tests."""

from __future__ import annotations

import sympy as sp

from replica.nodes import Gauss, Hazard, Log2Cosh, LogH, Prox, ProxSlope, Softplus, Tilted, average
from replica.symbols import POSITIVE, REAL, UNIT, Control, OrderParameter, control_symbol
from replica.theory import Start, Stationary, Theory

alpha, lam = control_symbol("alpha"), control_symbol("lambda")
ALPHA = Control(alpha, 2.0, POSITIVE, "samples per dimension")
LAMBDA = Control(lam, 1.0, POSITIVE, "ridge strength")


def bayes_sign() -> Theory:
    """P1: Bayes-optimal sign perceptron, Gaussian weights; V = 1 - q."""
    V, qh = sp.Symbol("V", real=True), sp.Symbol("q_hat", real=True)
    q = 1 - V
    h = sp.Dummy("h", real=True)
    x = -h / sp.sqrt(V)
    field = Gauss([h], [0], [[q]])
    output = 2 * Tilted((Hazard(x) / sp.sqrt(V)) ** 2, LogH(x), [field], normalised=False) / 2
    entropic = -sp.log(1 + qh) / 2 + qh / 2
    energetic = 2 * average(sp.exp(LogH(x)) * LogH(x), field)
    return Theory(
        "hand: bayes sign",
        "hand-p1",
        (ALPHA,),
        Stationary(
            (OrderParameter(V, "posterior variance", UNIT), OrderParameter(qh, "conjugate of q", POSITIVE)),
            (1 / (1 + qh), alpha * output),
            starts=(Start("uninformed", {V: sp.Float(0.9), qh: sp.Float(0.1)}),),
        ),
        {"q": q},
        {"q_hat": qh},
        -q * qh / 2 + entropic + alpha * energetic,
        {"generalization_error": sp.acos(sp.sqrt(q)) / sp.pi},
    )


def _erm(loss_of, name, breaks_note="") -> Theory:
    """Sign teacher, margin loss, ridge: m, q, chi and conjugates at zero temperature (one label, by symmetry)."""
    m, q, chi, mh, qh, Vh = sp.symbols("m q chi m_hat q_hat chi_hat", real=True)
    h, u = sp.Dummy("h", real=True), sp.Dummy("u", real=True)
    s = 1 - m**2 / q  # variance of the teacher's field given the student's
    tilt = sp.log(2) + LogH(-m * h / (q * sp.sqrt(s)))
    field = Gauss([h], [0], [[q]])
    p, slope = Prox(loss_of(u), u, chi, h), ProxSlope(loss_of(u), u, chi, h)
    g = (p - h) / chi
    teacher = Hazard(-m * h / (q * sp.sqrt(s))) / sp.sqrt(s)
    av = lambda body: Tilted(body, tilt, [field], normalised=True)  # noqa: E731
    V = 1 / (lam + Vh)
    equations = (mh * V, (mh**2 + qh) * V**2, V, alpha * av(g * teacher), alpha * av(g**2), alpha * av((1 - slope) / chi))
    moreau = av((p - h) ** 2 / (2 * chi) + loss_of(u).xreplace({u: p}))
    free = -m * mh + (q * Vh - chi * qh) / 2 + (mh**2 + qh) * V / 2 - alpha * moreau
    unknowns = (
        OrderParameter(m, "overlap with the teacher", REAL),
        OrderParameter(q, "self-overlap", POSITIVE),
        OrderParameter(chi, "response", POSITIVE),
        OrderParameter(mh, "conjugate of m", REAL),
        OrderParameter(qh, "conjugate of q", POSITIVE),
        OrderParameter(Vh, "conjugate of chi", POSITIVE),
    )
    start = {m: sp.Float(0.3), q: sp.Float(0.5), chi: 1 / (1 + lam), mh: sp.Float(0.5), qh: sp.Float(0.3), Vh: sp.Float(0.3)}
    return Theory(
        name,
        "hand-" + name,
        (ALPHA, LAMBDA),
        Stationary(unknowns, equations, constraints=(1 - m**2 / q,), starts=(Start("uninformed", start),)),
        {"m": m, "q": q, "chi": chi},
        {"m_hat": mh, "q_hat": qh, "chi_hat": Vh},
        free,
        {"generalization_error": sp.acos(m / sp.sqrt(q)) / sp.pi, "training_loss": av(loss_of(u).xreplace({u: p}))},
    )


def logistic() -> Theory:
    """P4."""
    return _erm(lambda u: Softplus(-u), "logistic")


def hinge() -> Theory:
    """P6."""
    return _erm(lambda u: sp.Max(0, 1 - u), "hinge")


def binary_storage() -> Theory:
    """Binary perceptron, storage at margin kappa: q and its conjugate."""
    kappa = control_symbol("kappa")
    q, qh = sp.symbols("q q_hat", real=True)
    h, z = sp.Dummy("h", real=True), sp.Dummy("z", real=True)
    x = (kappa - h) / sp.sqrt(1 - q)
    field, site = Gauss([h], [0], [[q]]), Gauss([z], [0], [[qh]])
    entropic = -qh / 2 + average(Log2Cosh(z), site)
    return Theory(
        "hand: binary storage",
        "hand-storage",
        (ALPHA, Control(kappa, 0.0)),
        Stationary(
            (OrderParameter(q, "overlap", UNIT), OrderParameter(qh, "conjugate of q", POSITIVE)),
            (average(sp.tanh(z) ** 2, site), alpha * average((Hazard(x) / sp.sqrt(1 - q)) ** 2, field)),
            starts=(Start("uninformed", {q: sp.Float(0.4), qh: sp.Float(0.5)}),),
        ),
        {"q": q},
        {"q_hat": qh},
        qh * q / 2 + entropic + alpha * average(LogH(x), field),
        {},
    )


def phase_retrieval() -> Theory:
    """P3: Bayes-optimal y = |z|, Gaussian weights; two nested averages, V = 1 - q."""
    V, qh = sp.Symbol("V", real=True), sp.Symbol("q_hat", real=True)
    h, y = sp.Dummy("h", real=True), sp.Dummy("y", real=True)
    measures = [Gauss([y], [h], [[V]]), Gauss([h], [0], [[1 - V]])]
    score = (y * sp.tanh(h * y / V) - h) / V
    log_f = -(y**2 + h**2) / (2 * V) - sp.log(2 * sp.pi * V) / 2 + Log2Cosh(h * y / V)
    return Theory(
        "hand: phase retrieval",
        "hand-p3",
        (ALPHA,),
        Stationary(
            (OrderParameter(V, "posterior variance", UNIT), OrderParameter(qh, "conjugate of q", POSITIVE)),
            (1 / (1 + qh), alpha * average(score**2, *measures)),
            starts=(
                Start("uninformed", {V: sp.Float(0.999), qh: sp.Float(0.001)}),
                Start("informed", {V: sp.Float(1e-6), qh: sp.Float(1e6)}),
            ),
        ),
        {"q": 1 - V},
        {"q_hat": qh},
        -(1 - V) * qh / 2 + qh / 2 - sp.log(1 + qh) / 2 + alpha * average(log_f, *measures),
        {"estimation_mse": V},
    )

