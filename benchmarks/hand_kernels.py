"""Kernels written by hand, in the signature of compiled ones: the baseline that generated code is measured against."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from numba import carray, cfunc, njit, types

from numerics.native import Kernel
from numerics.program import Rule
from numerics.special.library import sel, vexp, vlog, vtail
from replica.theory import Theory

FLAGS = {"fastmath": {"contract", "reassoc", "nsz"}, "error_model": "numpy", "nogil": True}
_F, _N = types.CPointer(types.float64), types.CPointer(types.int64)
LONG = (1 << 40,)  # kernels take pointers: no array knows its length


def kernel(function) -> Kernel:
    """Compile a function (p, x, w, off, scr, out) -> int to a kernel, or (l, p, x, w, off, scr, out) to a numbered one."""
    body = njit(function, **FLAGS)
    if function.__code__.co_argcount == 6:

        @cfunc(types.int64(_F, _F, _F, _N, _F, _F), **FLAGS)
        def plain(p, x, w, off, scr, out):
            return body(carray(p, LONG), carray(x, LONG), carray(w, LONG), carray(off, LONG), carray(scr, LONG), carray(out, LONG))

        return Kernel(plain.address, owner=plain)

    @cfunc(types.int64(types.int64, _F, _F, _F, _N, _F, _F), **FLAGS)
    def numbered(l, p, x, w, off, scr, out):
        return body(l, carray(p, LONG), carray(x, LONG), carray(w, LONG), carray(off, LONG), carray(scr, LONG), carray(out, LONG))

    return Kernel(numbered.address, True, owner=numbered)


R2PI = 0.3989422804014327
TINY = 1e-290  # keeps density over tail a number where both underflow


@dataclass(frozen=True)
class HandLoop:
    rule: Rule = Rule.UNIT
    inside: tuple[int, ...] = ()
    late: bool = False


@dataclass(frozen=True)
class HandModule:
    """What the solver asks of numerics.compile.Module."""

    theory: Theory
    loops: tuple[HandLoop, ...]
    residual: Kernel
    values: Kernel
    inside: Kernel
    probe: Kernel

    @property
    def unknowns(self) -> tuple[str, ...]:
        return tuple(u.name for u in self.theory.system.unknowns)

    @property
    def controls(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.theory.controls)

    @property
    def values_order(self) -> tuple[str, ...]:
        return ("free_entropy", *self.theory.order_parameters, *self.theory.conjugates, *self.theory.observables)

    @property
    def constraints(self) -> int:
        return len(self.theory.system.constraints)

    def scratch(self, off: Sequence[int]) -> int:
        return 1


def module(theory: Theory, rules: tuple[Rule, ...], kernels) -> HandModule:
    """Put hand kernels beside the theory whose integrals they compute."""
    return HandModule(theory, tuple(map(HandLoop, rules)), *kernels)


@njit(forceinline=True, **FLAGS)
def tail(x, decay):
    """H(x), from decay = exp(-x^2 / 2)."""
    upper = decay * vtail(abs(x))
    return sel(x > 0.0, upper, 1.0 - upper)


# P1: q_hat = 2 alpha I / V,  I = E_t[phi(x)^2 / H(x)],  x = -t sqrt(q / V), t standard normal


@kernel
def p1_residual(p, x, w, off, scr, out):
    V, qh, alpha = p[0], p[1], p[2]
    root, total, slope = math.sqrt((1 - V) / V), 0.0, 0.0
    for j in range(off[0], off[1]):
        u = -root * x[j]
        decay = max(vexp(-0.5 * u * u), TINY)
        C = vtail(abs(u))
        hazard = R2PI * sel(u > 0.0, 1.0, decay) / sel(u > 0.0, C, 1.0 - decay * C)
        here = w[j] * R2PI * decay * hazard
        total += here
        slope += here * (hazard - 2.0 * u) * x[j]  # - d/d root
    out[0] = V - 1 / (1 + qh)
    out[1] = qh - 2 * alpha * total / V
    out[2], out[3] = 1.0, 1 / (1 + qh) ** 2
    out[4], out[5] = 2 * alpha * (total / V**2 - 0.5 * slope / (V**3 * root)), 1.0
    out[6], out[7] = 0.0, -2 * total / V
    return 8


@kernel
def p1_values(p, x, w, off, scr, out):
    V, qh, alpha = p[0], p[1], p[2]
    q, root, energy = 1 - V, math.sqrt((1 - V) / V), 0.0
    for j in range(off[0], off[1]):
        u = -root * x[j]
        H = tail(u, vexp(-0.5 * u * u))
        energy += w[j] * sel(H > 0.0, H * vlog(H), 0.0)
    out[0] = -q * qh / 2 + qh / 2 - math.log(1 + qh) / 2 + 2 * alpha * energy
    out[1], out[2], out[3] = q, qh, math.acos(math.sqrt(q)) / math.pi
    return 4


@kernel
def none_inside(p, x, w, off, scr, out):
    return 0


@kernel
def p1_probe(l, p, x, w, off, scr, out):
    if l >= 1:  # asked where the integrand turns quickly
        return 0
    if l > 0:  # no features to report
        return 0
    root, total = math.sqrt((1 - p[0]) / p[0]), 0.0
    for j in range(off[0], off[1]):
        u = -root * x[j]
        decay = max(vexp(-0.5 * u * u), TINY)
        C = vtail(abs(u))
        total += w[j] * decay * sel(u > 0.0, 1.0, decay) / sel(u > 0.0, C, 1.0 - decay * C)
    out[0] = total
    return 1


P1 = (p1_residual, p1_values, none_inside, p1_probe)
