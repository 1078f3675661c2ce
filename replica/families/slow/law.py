"""The loss that noisy descent goes down on average, in overlaps: for z = v.W x, L + (rate/4) tr Cov of a step's gradient."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from replica.families.online.gaussian import Fields, expectation
from replica.families.slow import names as nm
from replica.families.slow.reverse import adjoints
from replica.theory import Definition

_BLOCKS, _UNITS = (nm.b, sp.S.One, nm.B), (nm.k, sp.S.One, nm.K)


@dataclass(frozen=True)
class Law:
    """The modified loss and its derivatives.

    Args:
        errors: definitions of h[b,k] = W_b,k . (W_b^T v - B_b) and e[b] = |W_b^T v - B_b|^2.
        loss: mean loss; scatter: trace of the covariance of one sample's gradient; both in elements of arrays.
        squared: mean square of z - y.
        slopes: definitions of the derivatives of the modified loss in Q, R and v, with what they need.
    """

    errors: tuple[Definition, ...]
    loss: sp.Expr
    scatter: sp.Expr
    squared: sp.Expr
    modified: sp.Expr
    slopes: tuple[Definition, ...]


def law(stiffness: sp.Expr) -> Law:
    """The law of the loss stiffness (y - z)^2/2."""
    a, b, k, l, q = nm.a, nm.b, nm.k, nm.l, nm.q
    one = sp.S.One
    product = sp.Sum(nm.Q[b, k, q] * nm.v[q], (q, 1, nm.K)) - nm.R[b, k, one]
    length = sp.Sum(nm.v[q] * (nm.h[b, q] - nm.R[b, q, one]), (q, 1, nm.K)) + nm.T[b, one, one]
    errors = Definition(nm.h[b, k], (_BLOCKS, _UNITS), product), Definition(nm.e[b], (_BLOCKS,), length)
    squared = sp.Sum(nm.variance[nm.c] * nm.e[nm.c], (nm.c, 1, nm.B)) + nm.noise
    loss = stiffness * squared / 2
    scatter = stiffness**2 * _scatter(squared)
    modified = loss + nm.eta * nm.part / (4 * nm.batch) * scatter
    names = {nm.h: nm.h_bar, nm.e: nm.e_bar}
    wanted = nm.Q[b, k, l], nm.R[b, k, one], nm.v[k]
    inner, (in_q, in_r, in_v) = adjoints(modified, errors, names, {b: a, k: nm.m}, wanted)
    outer = (
        Definition(nm.G_Q[b, k, l], (_BLOCKS, _UNITS, (l, one, nm.K)), in_q),
        Definition(nm.G_R[b, k], (_BLOCKS, _UNITS), in_r),
        Definition(nm.G_v[k], (_UNITS,), in_v),
    )
    return Law(errors, loss, scatter, squared, modified, (*inner, *outer))


def _over_blocks(value: sp.Expr) -> sp.Expr:
    return sp.Sum(value, (nm.a, 1, nm.B))


def _scatter(squared: sp.Expr) -> sp.Expr:
    """tr Cov of the gradient of u^2/2, u = z - y: u v_k x_i in W and u (W x)_k in v."""
    a, q = nm.a, nm.q
    fields = Fields(2, True)
    fourth = sp.expand(expectation([x**2 for x in fields.variables], fields))  # E u^2 x^2
    moment = sp.Poly(fourth - fields.covariance(0, 1) ** 2, *_covariances(fields))  # less (E u x)^2
    readouts = sp.Sum(nm.v[q] ** 2, (q, 1, nm.K))
    inputs = _over_blocks(_summed(moment, squared, nm.count[a] * nm.variance[a], nm.variance[a] ** 2 * nm.e[a]))
    own, with_u = _over_blocks(nm.variance[a] * nm.Q[a, q, q]), _over_blocks(nm.variance[a] * nm.h[a, q])
    units = sp.Sum(_summed(moment, squared, own, with_u**2), (q, 1, nm.K))
    return readouts * inputs + units


def _covariances(fields: Fields) -> tuple[sp.Expr, ...]:
    return fields.covariance(0, 0), fields.covariance(1, 1), fields.covariance(0, 1)


def _summed(moment: sp.Poly, squared: sp.Expr, own: sp.Expr, with_u: sp.Expr) -> sp.Expr:
    """A moment summed over coordinates x: `own` is the sum of their variances, `with_u` that of their squared covariances with u."""
    total = sp.S.Zero
    for (uu, xx, ux), coefficient in moment.terms():
        assert (xx, ux) in ((1, 0), (0, 2))  # second order in x
        total += coefficient * squared**uu * (own if xx else with_u)
    return total
