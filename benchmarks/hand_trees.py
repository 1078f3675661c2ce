"""Kernels of two replica trees written by hand: one step of broken symmetry, and a probe around a reference.

Perceptrons: the energetic half of the equations, with every derivative by unknowns and controls.
"""

from __future__ import annotations

import math

from numba import njit

from benchmarks.hand_kernels import FLAGS, R2PI, TINY, kernel
from numerics.special.library import imax, keymin, okey, sel, unkey, vexp, vlog, vtail


@njit(forceinline=True, **FLAGS)
def leaf(u):
    """log H(u) and its slope with the opposite sign, density over H."""
    decay = max(vexp(-0.5 * u * u), TINY)
    C = vtail(abs(u))
    upper = sel(u > 0.0, C, 1.0 - decay * C)
    return vlog(upper) - sel(u > 0.0, 0.5 * u * u, 0.0), R2PI * sel(u > 0.0, 1.0, decay) / upper


# One step: u = (kappa - a z - b t) / s, a^2 = 1 - V - d, b^2 = d, s^2 = V, h = density / H at u, averages < > over t tilted by H^x:
# A = alpha E <h>^2 / V,  B = alpha E (<h^2> - <h>^2) / V


@kernel
def one_step(p, x, w, off, scr, out):
    d, V, alpha, kappa, power = p[0], p[1], p[2], p[3], p[4]
    a, b, s = math.sqrt(1 - V - d), math.sqrt(d), math.sqrt(V)
    n = off[2] - off[1]
    A = B = AV = Ad = Ak = Ax = BV = Bd = Bk = Bx = 0.0
    for i in range(off[0], off[1]):
        z = x[i]
        c0, c1, first, largest = (kappa - a * z) / s, b / s, off[1], keymin()
        for j in range(n):
            u = c0 - c1 * x[first + j]
            log, hazard = leaf(u)
            scr[j], scr[n + j] = log, hazard
            largest = imax(largest, okey(power * log))
        top = unkey(largest)
        S = H = HT = H2 = H2T = H3 = H3T = K = KT = HK = HKT = L = LH = LH2 = 0.0
        for j in range(n):
            t, log, h = x[first + j], scr[j], scr[n + j]
            e = w[first + j] * vexp(power * log - top)
            k = h * (h - c0 + c1 * t)
            eh, ek, el = e * h, e * k, e * log
            S += e
            H += eh
            HT += eh * t
            H2 += eh * h
            H2T += eh * h * t
            H3 += eh * h * h
            H3T += eh * h * h * t
            K += ek
            KT += ek * t
            HK += ek * h
            HKT += ek * h * t
            L += el
            LH += el * h
            LH2 += el * h * h
        m1, m2 = H / S, H2 / S
        # slopes of <h> and <h^2> along u -> u + 1 and u -> u + t
        p0, pt = K / S - power * (H2 / S - m1 * H / S), KT / S - power * (H2T / S - m1 * HT / S)
        r0, rt = 2 * HK / S - power * (H3 / S - m2 * H / S), 2 * HKT / S - power * (H3T / S - m2 * HT / S)
        here = w[i]
        A += here * m1 * m1
        B += here * (m2 - m1 * m1)
        for f in range(4):
            if f == 0:
                g0, gt = -c0 / (2 * V) + z / (2 * a * s), c1 / (2 * V)
            elif f == 1:
                g0, gt = z / (2 * a * s), -1 / (2 * b * s)
            else:
                g0, gt = 1 / s, 0.0
            dm, dr = p0 * g0 + pt * gt, r0 * g0 + rt * gt
            if f == 3:
                dm, dr = LH / S - m1 * L / S, LH2 / S - m2 * L / S
            first_part, second = 2 * here * m1 * dm, here * dr
            if f == 0:
                AV += first_part
                BV += second - first_part
            elif f == 1:
                Ad += first_part
                Bd += second - first_part
            elif f == 2:
                Ak += first_part
                Bk += second - first_part
            else:
                Ax += first_part
                Bx += second - first_part
    c = alpha / V
    out[0], out[1] = d - c * A, V - c * B
    out[2], out[3] = 1 - c * Ad, -c * (AV - A / V)
    out[4], out[5] = -c * Bd, 1 - c * (BV - B / V)
    out[6], out[7], out[8] = -A / V, -c * Ak, -c * Ax
    out[9], out[10], out[11] = -B / V, -c * Bk, -c * Bx
    return 12


# A probe around a reference: u1 = -(a z + b t) is the probe's field, u2 = -(c z + e t) the reference's, given z and the probe's;
# h1, h2 densities over tails, averages < > over t tilted by H(u2), h0 the same at -k z:
# A = alpha E h0^2 / V,  B = alpha E <h1^2> / W,  C = alpha E h0 <h1> / sqrt(V W)


@njit(**FLAGS)
def scales(V, W, q, S):
    """(a, b, c, e, k), and the rows of slopes of a, b, c, e in V, W, q, S; k moves with V alone."""
    Q = 1 - V
    v, g = 1 - W - q * q / Q, S - q
    D = V - g * g / v
    dv = (-q * q / (Q * Q), -1.0, -2 * q / Q, 0.0)
    dD = (1 + g * g * dv[0] / v**2, g * g * dv[1] / v**2, 2 * g / v + g * g * dv[2] / v**2, -2 * g / v)
    a, b, c, e, k = q / math.sqrt(Q * W), math.sqrt(v / W), math.sqrt(Q / D), g / math.sqrt(v * D), math.sqrt(Q / V)
    da = (a / (2 * Q), -a / (2 * W), a / q, 0.0)
    db = (b * dv[0] / (2 * v), b * (dv[1] / v - 1 / W) / 2, b * dv[2] / (2 * v), 0.0)
    dc = (-c * (dD[0] / D + 1 / Q) / 2, -c * dD[1] / (2 * D), -c * dD[2] / (2 * D), -c * dD[3] / (2 * D))
    de = (
        -e * (dv[0] / v + dD[0] / D) / 2, -e * (dv[1] / v + dD[1] / D) / 2,
        -e * (dv[2] / v + dD[2] / D) / 2 - e / g, e / g - e * dD[3] / (2 * D),
    )  # fmt: skip
    return (a, b, c, e, k), (da, db, dc, de), -k * (1 / Q + 1 / V) / 2


@kernel
def probe(p, x, w, off, scr, out):
    V, W, q, alpha, S = p[0], p[1], p[2], p[3], p[4]
    (a, b, c, e, k), (da, db, dc, de), dk = scales(V, W, q, S)
    first, n = off[1], off[2] - off[1]
    A = Ak = B = Ba = Bb = Bc = Be = C = Ca = Cb = Cc = Ce = Ck = 0.0
    for i in range(off[0], off[1]):
        z, largest = x[i], keymin()
        _, h0 = leaf(-k * z)
        for j in range(n):
            log, h2 = leaf(-(c * z + e * x[first + j]))
            scr[j], scr[n + j] = log, h2
            largest = imax(largest, okey(log))
        top = unkey(largest)
        N = F = G = K = KT = M = MT = R = RT = P = PT = Y = YT = 0.0
        for j in range(n):
            t, h2 = x[first + j], scr[n + j]
            mass = w[first + j] * vexp(scr[j] - top)
            u = -(a * z + b * t)
            _, h = leaf(u)
            d, f = h * (h - u), mass * h
            N += mass
            F += f
            G += f * h
            K += mass * d
            KT += mass * d * t
            M += f * h2
            MT += f * h2 * t
            R += 2 * f * d
            RT += 2 * f * d * t
            P += f * h * h2
            PT += f * h * h2 * t
            Y += mass * h2
            YT += mass * h2 * t
        m, s, y, yt, here = F / N, G / N, Y / N, YT / N, w[i]
        A += here * h0 * h0
        Ak -= here * 2 * h0 * h0 * (h0 + k * z) * z
        B += here * s
        Ba -= here * z * R / N
        Bb -= here * RT / N
        Bc += here * z * (P / N - s * y)
        Be += here * (PT / N - s * yt)
        here *= h0
        C += here * m
        Ca -= here * z * K / N
        Cb -= here * KT / N
        Cc += here * z * (M / N - m * y)
        Ce += here * (MT / N - m * yt)
        Ck -= here * (h0 + k * z) * z * m
    fa, fb, fc = alpha / V, alpha / W, alpha / math.sqrt(V * W)
    out[0], out[1], out[2] = V - fa * A, W - fb * B, q - fc * C
    for r in range(4):
        slope_b = fb * (Ba * da[r] + Bb * db[r] + Bc * dc[r] + Be * de[r])
        slope_c = fc * (Ca * da[r] + Cb * db[r] + Cc * dc[r] + Ce * de[r])
        slope_a = fa * (Ak * dk - A / V) if r == 0 else 0.0
        if r == 0:
            slope_c += fc * (Ck * dk - C / (2 * V))
        elif r == 1:
            slope_b -= fb * B / W
            slope_c -= fc * C / (2 * W)
        if r < 3:
            out[3 + r], out[6 + r], out[9 + r] = (r == 0) - slope_a, (r == 1) - slope_b, (r == 2) - slope_c
        else:
            out[13], out[15], out[17] = -slope_a, -slope_b, -slope_c
    out[12], out[14], out[16] = -fa * A / alpha, -fb * B / alpha, -fc * C / alpha
    return 18
