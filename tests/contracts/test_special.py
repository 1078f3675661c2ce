"""Compiled special functions against mpmath, tails included."""

from __future__ import annotations

import math

import mpmath as mp
import numpy as np
import pytest
from numba import float64, njit

from numerics.special import library

FLAGS = {"fastmath": {"contract", "reassoc", "nsz"}, "error_model": "numpy"}
vexp, vlog, vlog1p, vtail, vgap, vlogh = library.vexp, library.vlog, library.vlog1p, library.vtail, library.vgap, library.vlogh
vtanh, verf, okey, unkey, imax = library.vtanh, library.verf, library.okey, library.unkey, library.imax
sel = library.sel
LINE = np.concatenate([np.linspace(-37, 37, 1501), np.geomspace(1e-9, 1e5, 400), -np.geomspace(1e-9, 1e5, 400)])


@njit(float64[:](float64[:], float64), **FLAGS)
def all_functions(x, which):
    """A loop with the kernels' flags, so that what they do to inlined code is tested too."""
    out = np.empty_like(x)
    for i in range(x.size):
        v = x[i]
        e, c = vexp(-0.5 * v * v), vtail(math.fabs(v))
        low = sel(v > 0.0, c, 1.0 - e * c)
        h = sel(v > 0.0, 1.0, e) * 0.3989422804014327 / low
        if which == 0.0:
            out[i] = vexp(v)
        elif which == 1.0:
            out[i] = vlog(v)
        elif which == 2.0:
            out[i] = vlog1p(v)
        elif which == 3.0:
            out[i] = vtail(v)
        elif which == 4.0:
            out[i] = h
        elif which == 5.0:
            out[i] = vgap(v, h)
        elif which == 6.0:
            out[i] = vlogh(v, e, c, low)
        elif which == 7.0:
            out[i] = vtanh(v, vexp(-2.0 * math.fabs(v)))
        else:
            out[i] = verf(v, 2.0 * vexp(-v * v) * vtail(math.fabs(v) * 1.4142135623730951))
    return out


def worst(which, x, exact):
    with mp.workdps(60):
        reference = [exact(mp.mpf(float(v))) for v in x]
        found = all_functions(x, float(which))
        assert np.all(np.isfinite(found))
        return max(float(abs(mp.mpf(float(f)) - r) / abs(r)) for f, r in zip(found, reference, strict=True) if r != 0)


def upper(x):
    return mp.erfc(x / mp.sqrt(2)) / 2


def hazard(x):
    return mp.npdf(x) / upper(x)


EPS = np.finfo(float).eps


@pytest.mark.parametrize(
    ("which", "x", "exact", "bound"),
    [
        (0, np.linspace(-689, 709, 2003), mp.exp, 4 * EPS),
        (1, np.concatenate([np.geomspace(1e-300, 1e300, 2001), np.linspace(0.5, 2, 1001)]), mp.log, 4 * EPS),
        (2, np.concatenate([np.linspace(0, 1, 801), np.geomspace(1e-300, 1, 200)]), mp.log1p, 4 * EPS),
        (3, np.concatenate([np.linspace(0, 37, 801), np.geomspace(1e-9, 1e5, 400)]), lambda x: mp.exp(x * x / 2) * upper(x), 6 * EPS),
        (4, LINE[LINE > -36], hazard, 5e-13),
        (5, LINE, lambda x: hazard(x) - x, 5e-15),
        (6, LINE[LINE > -36], lambda x: mp.log(upper(x)) if x > 0 else mp.log1p(-upper(-x)), 1e-13),
        (7, LINE, mp.tanh, 6 * EPS),
        (8, LINE, mp.erf, 8 * EPS),
    ],
)
def test_relative_error(which, x, exact, bound):
    assert worst(which, x, exact) <= bound


def test_ends_and_nan():
    with np.errstate(all="ignore"):
        found = all_functions(np.array([-800.0, -math.inf, 800.0, math.inf, math.nan, 0.0]), 0.0)
        np.testing.assert_array_equal(found[:4], [0.0, 0.0, math.inf, math.inf])
        assert math.isnan(found[4])
        assert found[5] == 1.0
        found = all_functions(np.array([0.0, math.inf, -1.0, math.nan]), 1.0)
        assert found[0] == -math.inf
        assert found[1] == math.inf
        assert math.isnan(found[2])
        assert math.isnan(found[3])
        for which in range(3, 9):
            assert math.isnan(all_functions(np.array([math.nan]), float(which))[0])


@njit(float64(float64[:]), **FLAGS)
def largest(x):
    k = okey(-math.inf)
    for v in x:
        k = imax(k, okey(v))
    return unkey(k)


def test_maximum_by_keys():
    rng = np.random.default_rng(1)
    x = rng.normal(size=999) * 10.0 ** rng.integers(-300, 300, 999)
    assert largest(x) == x.max()
    assert largest(-np.abs(x)) == (-np.abs(x)).max()
    x[500] = math.nan
    assert math.isnan(largest(x))


def test_digamma():
    for x in (0.3, 1.0, 4.5, 25.0, 1e6):
        assert library.digamma(x) == pytest.approx(float(mp.digamma(x)), rel=1e-13)
