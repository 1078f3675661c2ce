"""Kernels of two minimizers written by hand: logistic and hinge loss with a ridge, sign teacher."""

from __future__ import annotations

import math

from numba import njit

from benchmarks.hand_kernels import FLAGS, R2PI, kernel, tail
from numerics.special.library import sel, vexp, vlog1p

# P4 and P6: field h with variance q, tilted by 2 H(-c h), c = m / (q sqrt(1 - m^2/q)); hats are averages of
# g phi(c h) 2 / sqrt(1 - m^2/q), g^2 2 H(-c h) and g' 2 H(-c h) with g = (prox - h) / chi


@njit(forceinline=True, **FLAGS)
def teacher(m, q):
    """c, d log c / dm, d log c / dq, twice the norm of phi, and half the slopes of its logarithm."""
    v = 1 - m * m / q
    c = m / (q * math.sqrt(v))
    rm, rq = m / (q * v), -0.5 * m * m / (q * q * v)
    return c, 1 / m + rm, -1 / q + rq, 2 * R2PI / math.sqrt(v), rm, rq


@njit(**FLAGS)
def ridge_residual(p, s, d, out):
    """Residual, Jacobian and control derivatives from the three integrals `s` and the rows `d` of their slopes in m, q, chi."""
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
            out[6 + 6 * (3 + i) + j] = -alpha * d[3 * i + j]
    for i in range(3):
        out[42 + 2 * i], out[42 + 2 * i + 1] = 0.0, out[6 + 6 * i + 5]
        out[42 + 2 * (3 + i)], out[42 + 2 * (3 + i) + 1] = -s[i], 0.0
    return 54


# P4: logistic loss, integrated over the proximal point z: h = z - chi sigma(-z), dh = (1 + chi sigma') dz


@njit(**FLAGS)
def p4_prox(h, chi):
    """The proximal point, roughly: it only bounds a window."""
    z = h + math.log1p(chi) if h < 0.0 else h
    for _ in range(20):
        g = 1 / (1 + math.exp(z))
        step = (z - h - chi * g) / (1 + chi * g * (1 - g))
        z -= min(max(step, -2.0), 2.0)
        if abs(step) < 1e-3:
            break
    return z


@njit(**FLAGS)
def p4_ends(p):
    """Proximal points of -9 and 9 standard deviations."""
    reach = 9.0 * math.sqrt(p[1])
    return p4_prox(-reach, p[2]), p4_prox(reach, p[2])


@njit(forceinline=True, **FLAGS)
def p4_node(z, chi):
    """Slope g = sigma(-z) and curvature g (1 - g) of the loss."""
    decay = vexp(-abs(z))
    share = 1 / (1 + decay)
    return sel(z < 0.0, share, decay * share), decay * share * share


@kernel
def p4_residual(p, x, w, off, scr, out):
    m, q, chi = p[0], p[1], p[2]
    left, right = p4_ends(p)
    width = right - left
    c, cm, cq, norm, rm, rq = teacher(m, q)
    A = B = D = Am = Aq = Ax = Bm = Bq = Bx = Dm = Dq = Dx = 0.0
    for j in range(off[0], off[1]):
        z = left + width * x[j]
        g, bend = p4_node(z, chi)
        h = z - chi * g
        y = c * h
        phi = vexp(-0.5 * y * y)
        density = w[j] * vexp(-0.5 * h * h / q)
        H, jacobian = tail(-y, phi), 1 + chi * bend
        low, high = density * g, density * H
        a, b, e = low * phi * jacobian, high * g * g * jacobian, high * bend
        A += a
        B += b
        D += e
        hq = 0.5 * h * h / (q * q)  # slope of the log density in q
        hx = g * h / q  # and in chi
        Am += a * y * y
        Aq += a * hq
        Ax += a * (hx + y * c * g) + low * phi * bend
        turn = R2PI * phi * density  # slope of the tail
        t = turn * g * g * jacobian
        Bm += t * y
        Bq += b * hq
        Bx += b * hx - t * c * g + high * g * g * bend
        t = turn * bend
        Dm += t * y
        Dq += e * hq
        Dx += e * hx - t * c * g
    scale = width * R2PI / math.sqrt(q)
    f, k = scale * norm, 2 * scale
    s = (f * A, k * B, k * D)
    d = (
        f * (rm * A - cm * Am),
        f * ((rq - 0.5 / q) * A - cq * Am + Aq),
        f * Ax,
        k * cm * Bm,
        k * (cq * Bm + Bq - 0.5 / q * B),
        k * Bx,
        k * cm * Dm,
        k * (cq * Dm + Dq - 0.5 / q * D),
        k * Dx,
    )
    return ridge_residual(p, s, d, out)


@kernel
def p4_probe(l, p, x, w, off, scr, out):
    if l > 0:
        return 0
    if l >= 1:  # asked where the integrand turns quickly
        return 0
    m, q, chi = p[0], p[1], p[2]
    left, right = p4_ends(p)
    c, A, B, D = teacher(m, q)[0], 0.0, 0.0, 0.0
    for j in range(off[0], off[1]):
        g, bend = p4_node(left + (right - left) * x[j], chi)
        h = left + (right - left) * x[j] - chi * g
        phi = vexp(-0.5 * c * c * h * h)
        density, H = w[j] * vexp(-0.5 * h * h / q), tail(-c * h, phi)
        A += density * (1 + chi * bend) * g * phi
        B += density * (1 + chi * bend) * g * g * H
        D += density * bend * H
    out[0], out[1], out[2] = A, B, D
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
    left, right = p4_ends(p)
    c, loss, envelope = teacher(m, q)[0], 0.0, 0.0
    for j in range(off[0], off[1]):
        z = left + (right - left) * x[j]
        g, bend = p4_node(z, chi)
        h = z - chi * g
        D = w[j] * vexp(-0.5 * h * h / q) * (1 + chi * bend) * 2 * tail(-c * h, vexp(-0.5 * c * c * h * h))
        here = vlog1p(vexp(-abs(z))) + max(-z, 0.0)
        loss += D * here
        envelope += D * (here + 0.5 * chi * g * g)
    scale = (right - left) * R2PI / math.sqrt(q)
    return ridge_values(p, scale * envelope, scale * loss, out)


P4 = (p4_residual, p4_values, erm_inside, p4_probe)

# P6: hinge loss; two smooth pieces: h below 1 - chi, where g = 1, and h = 1 - chi g on the kink, with g in [0, 1]


@njit(**FLAGS)
def p6_ends(p, l):
    """Range of h on piece 0, of g on piece 1."""
    reach, chi = 9.5 * math.sqrt(p[1]), p[2]
    if l == 0:
        return -reach, min(max(1 - chi, -reach), reach)
    return min(max((1 - reach) / chi, 0.0), 1.0), min(max((1 + reach) / chi, 0.0), 1.0)


@kernel
def p6_residual(p, x, w, off, scr, out):
    m, q, chi = p[0], p[1], p[2]
    c, cm, cq, norm, rm, rq = teacher(m, q)
    scale = R2PI / math.sqrt(q)
    A = B = Am = Aq = Ax = Bm = Bq = Bx = 0.0
    left, right = p6_ends(p, 0)
    width = right - left
    moving = 0.0 if abs(1 - chi) >= 9.5 * math.sqrt(q) else -1.0  # d right / d chi
    for j in range(off[0], off[1]):
        h = left + width * x[j]
        y = c * h
        phi = vexp(-0.5 * y * y)
        density = w[j] * vexp(-0.5 * h * h / q)
        a, b, t = density * phi, density * tail(-y, phi), R2PI * density * phi
        A += a
        B += b
        hq = 0.5 * h * h / (q * q)
        Am += a * y * y
        Aq += a * hq
        Ax -= x[j] * a * h * (1 / q + c * c)
        Bm += t * y
        Bq += b * hq
        Bx += x[j] * (t * c - b * h / q)
    f, k = scale * width * norm, 2 * scale * width
    s0, s1 = f * A, k * B
    d0, d1, d2 = f * (rm * A - cm * Am), f * ((rq - 0.5 / q) * A - cq * Am + Aq), moving * (f * Ax + scale * norm * A)
    d3, d4, d5 = k * cm * Bm, k * (cq * Bm + Bq - 0.5 / q * B), moving * (k * Bx + 2 * scale * B)
    A = B = D = Am = Aq = Ax = Bm = Bq = Bx = Dm = Dq = Dx = 0.0
    left, right = p6_ends(p, 1)
    width = right - left
    for j in range(off[1], off[2]):
        g = left + width * x[j]
        h = 1 - chi * g
        y = c * h
        phi = vexp(-0.5 * y * y)
        density = w[j] * vexp(-0.5 * h * h / q)
        a, e, t = density * phi * g, density * tail(-y, phi), R2PI * density * phi
        b = e * g * g
        A += a
        B += b
        D += e
        hq, hx = 0.5 * h * h / (q * q), g * h / q
        Am += a * y * y
        Aq += a * hq
        Ax += a * (hx + y * c * g)
        Bm += t * g * g * y
        Bq += b * hq
        Bx += b * hx - t * g * g * c * g
        Dm += t * y
        Dq += e * hq
        Dx += e * hx - t * c * g
    f, k = scale * width * norm * chi, 2 * scale * width * chi
    s = (s0 + f * A, s1 + k * B, k / chi * D)
    d = (
        d0 + f * (rm * A - cm * Am),
        d1 + f * ((rq - 0.5 / q) * A - cq * Am + Aq),
        d2 + f * (Ax + A / chi),
        d3 + k * cm * Bm,
        d4 + k * (cq * Bm + Bq - 0.5 / q * B),
        d5 + k * (Bx + B / chi),
        k / chi * cm * Dm,
        k / chi * (cq * Dm + Dq - 0.5 / q * D),
        k / chi * Dx,
    )
    return ridge_residual(p, s, d, out)


@kernel
def p6_probe(l, p, x, w, off, scr, out):
    if l > 1:
        return 0
    if l >= 2:  # asked where the integrand turns quickly
        return 0
    m, q, chi = p[0], p[1], p[2]
    left, right = p6_ends(p, l)
    c, A, B, D = teacher(m, q)[0], 0.0, 0.0, 0.0
    for j in range(off[l], off[l + 1]):
        place = left + (right - left) * x[j]
        g, h = (1.0, place) if l == 0 else (place, 1 - chi * place)
        phi = vexp(-0.5 * c * c * h * h)
        density, H = w[j] * vexp(-0.5 * h * h / q), tail(-c * h, phi)
        A += density * g * phi
        B += density * g * g * H
        D += density * H
    out[0], out[1], out[2] = A, B, D
    return 3


@kernel
def p6_values(p, x, w, off, scr, out):
    m, q, chi = p[0], p[1], p[2]
    c, loss, envelope = teacher(m, q)[0], 0.0, 0.0
    for l in range(2):
        left, right = p6_ends(p, l)
        for j in range(off[l], off[l + 1]):
            place = left + (right - left) * x[j]
            g, h, stretch = (1.0, place, 1.0) if l == 0 else (place, 1 - chi * place, chi)
            phi = vexp(-0.5 * c * c * h * h)
            D = stretch * (right - left) * R2PI / math.sqrt(q) * w[j] * vexp(-0.5 * h * h / q) * 2 * tail(-c * h, phi)
            here = 1 - h - chi if l == 0 else 0.0
            loss += D * here
            envelope += D * (here + 0.5 * chi * g * g)
    return ridge_values(p, envelope, loss, out)


P6 = (p6_residual, p6_values, erm_inside, p6_probe)
