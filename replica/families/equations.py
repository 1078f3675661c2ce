"""Equations of a replica-symmetric learner, in opaque leaves: finite temperature and the limit beta -> infinity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sympy as sp

from replica.families import rs
from replica.families.model import TEACHER
from replica.families.rs import ReplicaSymmetric
from replica.nodes import Moreau, Peak, Tilted
from replica.passes.gauge import minimal
from replica.passes.large_parameter import Limit
from replica.tree import Leaf, Side

BETA = sp.Symbol("beta_", positive=True)


@dataclass(frozen=True)
class Opaque:
    """Free entropy and gradients of both sides, still in leaves.

    Args:
        trace: sum of overlaps times conjugates; enters with a minus.
        energetic, entropic: log integrals (first order in n, or the limit's coefficient).
        outputs: conjugate symbol -> d energetic / d overlap over its count, without the factor alpha.
        inputs: overlap symbol -> d entropic / d conjugate over its count.
    """

    trace: sp.Expr
    energetic: sp.Expr
    entropic: sp.Expr
    outputs: Mapping[sp.Symbol, sp.Expr]
    inputs: Mapping[sp.Symbol, sp.Expr]


def finite_temperature(system: ReplicaSymmetric) -> Opaque:
    """The universal form: conjugates are averages of products of output scores, overlaps of products of tilted means."""
    outputs, inputs = {}, {}
    for overlap, count in system.tree.order_parameters().items():
        outputs[system.symbol(overlap, hat=True)] = system.energetic.gradient(overlap) / count
        inputs[system.symbol(overlap)] = system.entropic.gradient(overlap) / count
    return Opaque(system.tree.trace(), system.energetic.log_integral(), system.entropic.log_integral(), outputs, inputs)


def increments(opaque: Opaque, system: ReplicaSymmetric) -> tuple[sp.Expr, sp.Expr]:
    """(Q - q, q_hat - Q_hat) each as one average, so that they keep their digits when they are small."""
    self_hat, hat = (system.symbol(o, hat=True) for o in (rs.Q_SELF, rs.Q))
    variance = _one_average(opaque.inputs[system.symbol(rs.Q_SELF)], opaque.inputs[system.symbol(rs.Q)])
    return variance, _one_average(opaque.outputs[hat], opaque.outputs[self_hat])


def _one_average(plus: sp.Expr, minus: sp.Expr) -> sp.Expr:
    """plus - minus for averages under the same measures."""
    if not (isinstance(plus, Tilted) and isinstance(minus, Tilted)) or plus.args[1:] != minus.args[1:]:
        return plus - minus
    return Tilted(plus.body - minus.body, plus.exponent, plus.measures, normalised=plus.normalised)


@dataclass(frozen=True)
class GroundState:
    """Symbols of the zero-temperature theory."""

    m: sp.Symbol
    q: sp.Symbol
    chi: sp.Symbol
    m_hat: sp.Symbol
    q_hat: sp.Symbol
    chi_hat: sp.Symbol


def ground_state_symbols(system: ReplicaSymmetric) -> GroundState:
    chi, chi_hat = sp.symbols("chi chi_hat", real=True)
    s = system.symbol
    return GroundState(s(rs.M), s(rs.Q), chi, s(rs.M, True), s(rs.Q, True), chi_hat)


def zero_temperature(system: ReplicaSymmetric, loss, penalty, teacher: bool) -> Opaque:
    """beta -> infinity: overlaps of two copies differ by chi/beta, conjugates grow; divided by beta.

    Args:
        loss: (label, u) -> loss of a field;  penalty: w -> regularizer of a weight.
    """
    s, B = ground_state_symbols(system), BETA
    scalings = {
        system.symbol(rs.Q_SELF): s.q + s.chi / B,
        s.m_hat: B * s.m_hat,
        s.q_hat: B**2 * s.q_hat,
        system.symbol(rs.Q_SELF, True): B**2 * s.q_hat - B * s.chi_hat,
    }
    u, w = sp.Dummy("u", real=True), sp.Dummy("w", real=True)

    def output_leaf(leaf: Leaf, _scalar):
        return None if leaf.species == TEACHER else (1, -Moreau(loss(leaf.extra[0], u), u, s.chi, leaf.h))

    def input_leaf(leaf: Leaf, _scalar):
        return None if leaf.species == TEACHER else (1, Peak(penalty(w), w, s.chi_hat, leaf.h))

    field = system.student_field(Side.ENTROPIC)
    _, trace = Limit(B, scalings, {}, output_leaf).polynomial(system.tree.trace())
    _, energetic = Limit(B, scalings, {}, output_leaf).leading(system.energetic.log_integral())
    _, entropic = Limit(B, scalings, {field: 1}, input_leaf).leading(system.entropic.log_integral())
    pairs = [(s.q, s.chi_hat), (s.chi, s.q_hat)] + ([(s.m, s.m_hat)] if teacher else [])
    outputs, inputs = {}, {}
    for overlap, hat in pairs:
        count = sp.expand(trace).coeff(overlap * hat)
        outputs[hat] = energetic.diff(overlap) / count
        inputs[overlap] = entropic.diff(hat) / count
    return Opaque(trace, energetic, entropic, outputs, inputs)


def gauge_fixed(opaque: Opaque, system: ReplicaSymmetric, teacher: bool) -> Opaque:
    """Minimal gauge of the teacher on both sides; its own overlap is `rho`, its conjugate zero (its law is normalised)."""
    if not teacher:
        return opaque
    known = {system.symbol(rs.RHO, True): sp.S.Zero}

    def fix(expression: sp.Expr, side: Side) -> sp.Expr:
        hat = side is Side.ENTROPIC
        fixed = minimal(expression, system.teacher_field(side), system.symbol(rs.GAUGE, hat))
        return fixed.xreplace(known) if hat else fixed

    return Opaque(
        opaque.trace,
        fix(opaque.energetic, Side.ENERGETIC),
        fix(opaque.entropic, Side.ENTROPIC),
        {k: fix(v, Side.ENERGETIC) for k, v in opaque.outputs.items()},
        {k: fix(v, Side.ENTROPIC) for k, v in opaque.inputs.items()},
    )
