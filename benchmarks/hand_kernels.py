"""Kernels written by hand, in the signature of compiled ones: the baseline that generated code is measured against."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import carray, cfunc, njit, types

from numerics.native import Kernel
from numerics.program import Rule
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


R2PI, LOG2 = 0.3989422804014327, math.log(2)


@dataclass(frozen=True)
class HandLoop:
    rule: Rule = Rule.UNIT
    inside: tuple[int, ...] = ()
    late: bool = False


@dataclass(frozen=True)
class HandModule:
    """What the solver asks of numerics.compile.Module; every loop runs over [0, 1]."""

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


def module(theory: Theory, loops: int, kernels) -> HandModule:
    """Put hand kernels beside the theory whose integrals they compute."""
    return HandModule(theory, (HandLoop(),) * loops, *kernels)


@njit(**FLAGS)
def tail(x):
    return 0.5 * math.erfc(x * 0.7071067811865476)


# P1: u = h / sqrt(V) on [-W, W], r = q / V;  q_hat = 2 alpha I / V,  I = E[phi(u)^2 / H(-u)]


@njit(**FLAGS)
def p1_window(r):
    return min(9.0 * math.sqrt(r), 9.3)


@njit(**FLAGS)
def p1_sums(r, x, w, start, stop):
    width, total, second = p1_window(r), 0.0, 0.0
    scale, a = 2 * width * R2PI / math.sqrt(r) * R2PI * R2PI, 0.5 / r + 1.0
    for j in range(start, stop):
        u = width * (2 * x[j] - 1)
        e = w[j] * math.exp(-a * u * u) / tail(-u)
        total += e
        second += e * u * u
    return scale * total, scale * second


@kernel
def p1_residual(p, x, w, off, scr, out):
    V, qh, alpha = p[0], p[1], p[2]
    r = (1 - V) / V
    total, second = p1_sums(r, x, w, off[0], off[1])
    slope = (second / r - total) / (2 * r)
    out[0] = V - 1 / (1 + qh)
    out[1] = qh - 2 * alpha * total / V
    out[2], out[3] = 1.0, 1 / (1 + qh) ** 2
    out[4], out[5] = -2 * alpha * (-total / V**2 - slope / V**3), 1.0
    out[6], out[7] = 0.0, -2 * total / V
    return 8


@kernel
def p1_values(p, x, w, off, scr, out):
    V, qh, alpha = p[0], p[1], p[2]
    q = 1 - V
    r = q / V
    width, energy = 9.0 * math.sqrt(r), 0.0
    for j in range(off[0], off[1]):
        u = width * (2 * x[j] - 1)
        H = tail(-u)
        energy += w[j] * math.exp(-0.5 * u * u / r) * (H * math.log(H) if H > 0 else 0.0)
    energy *= 2 * 2 * width * R2PI / math.sqrt(r)
    out[0] = -q * qh / 2 + qh / 2 - math.log(1 + qh) / 2 + alpha * energy
    out[1], out[2], out[3] = q, qh, math.acos(math.sqrt(q)) / math.pi
    return 4


@kernel
def none_inside(p, x, w, off, scr, out):
    return 0


@kernel
def p1_probe(l, p, x, w, off, scr, out):
    out[0], out[1] = p1_sums((1 - p[0]) / p[0], x, w, off[0], off[1])
    return 1


P1 = (p1_residual, p1_values, none_inside, p1_probe)

# P4: logistic loss, integrated over the proximal point z: omega = z - chi sigma(-z), d omega = (1 + chi sigma') dz


@njit(**FLAGS)
def p4_prox(omega, chi):
    z, low, high = omega + 0.5 * chi, omega, omega + chi
    for _ in range(60):
        s = 1 / (1 + math.exp(z))
        f = z - omega - chi * s
        low, high = (low, z) if f > 0 else (z, high)
        new = z - f / (1 + chi * s * (1 - s))
        if not (low <= new <= high):
            new = 0.5 * (low + high)
        if abs(new - z) < 1e-6 * (1 + abs(z)):
            return new
        z = new
    return z


@njit(**FLAGS)
def p4_sums(p, x, w, start, stop, derivatives, s):
    m, q, chi = p[0], p[1], p[2]
    v = 1 - m * m / q
    root = math.sqrt(q)
    left, right = p4_prox(-9 * root, chi), p4_prox(9 * root, chi)
    width, c = right - left, m / (q * math.sqrt(v))
    cm = 1 / (q * math.sqrt(v)) + c * m / (q * v)
    cq = -c / q - c * m * m / (2 * q * q * v)
    rm, rq = m / (q * v), -m * m / (2 * q * q * v)  # d log(1/sqrt v)
    teacher = 2 * R2PI / math.sqrt(v)
    for k in range(len(s)):
        s[k] = 0.0
    for j in range(start, stop):
        z = left + width * x[j]
        g = 1 / (1 + math.exp(z))
        l2 = g * (1 - g)
        omega = z - chi * g
        D = w[j] * math.exp(-0.5 * omega * omega / q)
        xx = -c * omega
        phi = math.exp(-0.5 * xx * xx)
        H, pdf, jac = 2 * tail(xx), 2 * R2PI * phi, 1 + chi * l2
        a, b, d = D * jac * g * teacher * phi, D * jac * g * g * H, D * l2 * H
        s[0] += a
        s[1] += b
        s[2] += d
        if derivatives:
            dq = 0.5 * omega * omega / (q * q) - 0.5 / q
            dchi = g * omega / q  # of log D
            s[3] += a * (rm + xx * omega * cm)
            s[4] += a * (rq + xx * omega * cq + dq)
            s[5] += a * (dchi - xx * c * g) + D * l2 * g * teacher * phi
            s[6] += D * jac * g * g * pdf * omega * cm
            s[7] += b * dq + D * jac * g * g * pdf * omega * cq
            s[8] += b * dchi - D * jac * g * g * pdf * c * g + D * l2 * g * g * H
            s[9] += D * l2 * pdf * omega * cm
            s[10] += d * dq + D * l2 * pdf * omega * cq
            s[11] += d * dchi - D * l2 * pdf * c * g
    for k in range(len(s)):
        s[k] *= width * R2PI / root


@njit(**FLAGS)
def ridge_residual(p, s, out):
    """Residual, Jacobian and control derivatives from the three integrals s[:3] and their slopes in m, q, chi, s[3:12]."""
    mh, qh, Vh, alpha, lam = p[3], p[4], p[5], p[6], p[7]
    V = 1 / (lam + Vh)
    image = (mh * V, (mh * mh + qh) * V * V, V, alpha * s[0], alpha * s[1], alpha * s[2])
    for i in range(6):
        out[i] = p[i] - image[i]
        for j in range(6):
            out[6 + 6 * i + j] = 1.0 if i == j else 0.0
    out[6 + 3], out[6 + 5] = -V, mh * V * V
    out[12 + 3], out[12 + 4], out[12 + 5] = -2 * mh * V * V, -V * V, 2 * (mh * mh + qh) * V**3
    out[18 + 5] = V * V
    for i in range(3):
        for j in range(3):
            out[6 + 6 * (3 + i) + j] = -alpha * s[3 + 3 * i + j]
    for i in range(3):
        out[42 + 2 * i], out[42 + 2 * i + 1] = 0.0, out[6 + 6 * i + 5]
        out[42 + 2 * (3 + i)], out[42 + 2 * (3 + i) + 1] = -s[i], 0.0
    return 54


@kernel
def p4_residual(p, x, w, off, scr, out):
    s = np.empty(12)
    p4_sums(p, x, w, off[0], off[1], True, s)
    return ridge_residual(p, s, out)


@kernel
def p4_probe(l, p, x, w, off, scr, out):
    p4_sums(p, x, w, off[0], off[1], False, out[:3])
    return 3


@kernel
def erm_inside(p, x, w, off, scr, out):
    out[0] = 1 - p[0] * p[0] / p[1]
    return 1


@njit(**FLAGS)
def ridge_values(p, moreau, loss, out):
    m, q, chi, mh, qh, Vh, alpha, lam = p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7]
    V = 1 / (lam + Vh)
    out[0] = -m * mh + (q * Vh - chi * qh) / 2 + (mh * mh + qh) * V / 2 - alpha * moreau
    for i in range(6):
        out[1 + i] = p[i]
    out[7], out[8] = math.acos(m / math.sqrt(q)) / math.pi, loss
    return 9


@kernel
def p4_values(p, x, w, off, scr, out):
    m, q, chi = p[0], p[1], p[2]
    root = math.sqrt(q)
    left, right = p4_prox(-9 * root, chi), p4_prox(9 * root, chi)
    c, loss, envelope = m / (q * math.sqrt(1 - m * m / q)), 0.0, 0.0
    for j in range(off[0], off[1]):
        z = left + (right - left) * x[j]
        g = 1 / (1 + math.exp(z))
        omega = z - chi * g
        D = w[j] * math.exp(-0.5 * omega * omega / q) * (1 + chi * g * (1 - g)) * 2 * tail(-c * omega)
        here = math.log1p(math.exp(-abs(z))) + max(-z, 0.0)
        loss += D * here
        envelope += D * (here + 0.5 * chi * g * g)
    scale = (right - left) * R2PI / root
    return ridge_values(p, scale * envelope, scale * loss, out)


P4 = (p4_residual, p4_values, erm_inside, p4_probe)

# P6: hinge loss; integrals over omega on two smooth pieces: below 1 - chi (slope of the prox 1) and on the kink (slope 0)


@njit(**FLAGS)
def p6_ends(p, l):
    reach = 9 * math.sqrt(p[1])
    middle = min(max(1 - p[2], -reach), reach)
    return (-reach, middle) if l == 0 else (middle, min(max(1.0, -reach), reach))


@njit(**FLAGS)
def p6_sums(p, l, x, w, off, derivatives, s):
    """Adds piece l to the integrals; the moving ends enter the slopes through the chain rule of the map from [0, 1]."""
    m, q, chi = p[0], p[1], p[2]
    v = 1 - m * m / q
    root = math.sqrt(q)
    left, right = p6_ends(p, l)
    width, c = right - left, m / (q * math.sqrt(v))
    cm = 1 / (q * math.sqrt(v)) + c * m / (q * v)
    cq = -c / q - c * m * m / (2 * q * q * v)
    rm, rq = m / (q * v), -m * m / (2 * q * q * v)
    teacher = 2 * R2PI / math.sqrt(v)
    clipped = abs(1 - chi) >= 9 * root
    moving = 0.0 if clipped else -1.0  # d middle / d chi; the ends of the window are far in the tail, their motion is dropped
    scale = width * R2PI / root
    for j in range(off[l], off[l + 1]):
        share = x[j] if l == 0 else 1 - x[j]  # d omega / d middle
        omega = left + width * x[j]
        D = scale * w[j] * math.exp(-0.5 * omega * omega / q)
        xx = -c * omega
        phi = math.exp(-0.5 * xx * xx)
        H, pdf = 2 * tail(xx), 2 * R2PI * phi
        g = 1.0 if l == 0 else (1 - omega) / chi
        a, b, d = D * g * teacher * phi, D * g * g * H, (D * H / chi if l == 1 else 0.0)
        s[0] += a
        s[1] += b
        s[2] += d
        if derivatives:
            dq = 0.5 * omega * omega / (q * q) - 0.5 / q
            go = -1 / chi if l == 1 else 0.0
            gc = -g / chi if l == 1 else 0.0
            turn = moving * share
            grow = moving * (1.0 if l == 0 else -1.0) / width if width > 0 else 0.0
            wo, po = -omega / q, pdf * c / H if H > 0 else 0.0  # d log D, d log H / d omega
            s[3] += a * (rm + xx * omega * cm)
            s[4] += a * (rq + xx * omega * cq + dq)
            s[5] += a * (grow + turn * (wo + xx * c)) + D * teacher * phi * (gc + go * turn)
            s[6] += D * g * g * pdf * omega * cm
            s[7] += b * dq + D * g * g * pdf * omega * cq
            s[8] += b * (grow + turn * (wo + po)) + 2 * D * g * H * (gc + go * turn)
            if l == 1:
                s[9] += D * pdf * omega * cm / chi
                s[10] += d * dq + D * pdf * omega * cq / chi
                s[11] += d * (grow + turn * (wo + po) - 1 / chi)


@kernel
def p6_residual(p, x, w, off, scr, out):
    s = np.zeros(12)
    p6_sums(p, 0, x, w, off, True, s)
    p6_sums(p, 1, x, w, off, True, s)
    return ridge_residual(p, s, out)


@kernel
def p6_probe(l, p, x, w, off, scr, out):
    out[:3] = 0.0
    p6_sums(p, l, x, w, off, False, out[:3])
    return 3


@kernel
def p6_values(p, x, w, off, scr, out):
    m, q, chi = p[0], p[1], p[2]
    root = math.sqrt(q)
    c, loss, envelope = m / (q * math.sqrt(1 - m * m / q)), 0.0, 0.0
    for l in range(2):
        left, right = p6_ends(p, l)
        for j in range(off[l], off[l + 1]):
            omega = left + (right - left) * x[j]
            D = (right - left) * R2PI / root * w[j] * math.exp(-0.5 * omega * omega / q) * 2 * tail(-c * omega)
            z = omega + chi if l == 0 else 1.0
            loss += D * (1 - z)
            envelope += D * ((1 - z) + 0.5 * (z - omega) ** 2 / chi)
    return ridge_values(p, envelope, loss, out)


P6 = (p6_residual, p6_values, erm_inside, p6_probe)
