"""Panels find what is narrow, weights sum to one, and capacity is a status instead of a crash."""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchmarks.hand_kernels import kernel
from numerics.grid import OK
from numerics.layout import ADAPT, BASE, COUNT, DEPTH, DOUBLE, EDGES, INSIDE, LINE, NESTED, PROBES, RAY, RULE, SIZE, STACK, UNIT, Slots
from numerics.quadrature import SPILLS
from numerics.solver import inspect
from numerics.status import CAPACITY, NON_FINITE


@kernel
def peak(l, p, x, w, off, scr, out):
    """Lorentzian of width p[0] around p[1], and a constant."""
    if l > 0:  # asked for features
        return 0
    out[0], out[1] = 0.0, 0.0
    for j in range(off[l], off[l + 1]):
        out[0] += w[j] * p[0] / ((x[j] - p[1]) ** 2 + p[0] ** 2)
        out[1] += w[j]
    return 2


@kernel
def poisson(l, p, x, w, off, scr, out):
    if l > 0:
        return 0
    out[0] = 0.0
    for j in range(off[l], off[l + 1]):
        out[0] += w[j] * math.exp(x[j] * math.log(p[0]) - p[0] - math.lgamma(x[j] + 1))
    return 1


@kernel
def poison(l, p, x, w, off, scr, out):
    if l > 0:
        return 0
    out[0] = np.nan
    return 1


@kernel
def bumps(l, p, x, w, off, scr, out):
    """Gaussian bumps of width p[2] around p[0] and p[1] over the normal density, the first of weight 1, the second of weight p[3]."""
    if l > 0:
        return 0
    out[0] = 0.0
    for j in range(off[l], off[l + 1]):
        first, second = (x[j] - p[0]) / p[2], (x[j] - p[1]) / p[2]
        out[0] += w[j] * (math.exp(x[j] ** 2 / 2 - first**2 / 2) + p[3] * math.exp(x[j] ** 2 / 2 - second**2 / 2))
    return 1


class Grid:
    """One loop, and the compiled solver's nodes for it."""

    def __init__(self, rule: int, panels: int = 256, nested: int = 0) -> None:
        self.loops = np.zeros((1, INSIDE + 1), np.int64)
        self.loops[0, RULE], self.loops[0, NESTED], self.loops[0, SIZE] = rule, nested, 32
        self.panels, self.x, self.w = np.zeros((1, panels, 2)), np.zeros(64 * panels), np.zeros(64 * panels)
        self.off, self.scr, self.out, self.work = np.zeros(2, np.int64), np.zeros(8), np.zeros(512), np.zeros((STACK + DEPTH, PROBES + 2))

    def ask(self, probe, p, request):
        points, place, left = np.array(p), np.zeros(len(p) + 1), np.full(1, np.inf)
        names = ("loops", "panels", "x", "w", "off", "scr", "out", "work")
        arrays = {name: getattr(self, name) for name in names} | {"points": points, "place": place, "left": left}
        numbers = {
            "probe": probe.address, "loop_count": 1, "unknowns": len(p), "capacity": self.panels.shape[1], "nodes": len(self.x),
            "scratch": len(self.scr), "outputs": len(self.out), "first": request,
        }
        filled = numbers | {name: array.ctypes.data for name, array in arrays.items()}
        return inspect(np.array([filled.get(name, 0) for name in Slots._fields], np.int64), 1e-7)

    def integrate(self, probe, p):
        probe(0, np.array(p), self.x, self.w, self.off, self.scr, self.out)
        return self.out[0]


@pytest.mark.parametrize("width", [1.0, 1e-2, 1e-4, 1e-6])
def test_a_narrow_peak_is_found_and_resolved(width):
    grid = Grid(UNIT)
    assert grid.ask(peak, [width, 0.3], ADAPT) == OK
    exact = math.atan(0.7 / width) + math.atan(0.3 / width)
    # nodes near 0.3 are good to eps, which moves a steep flank
    assert grid.integrate(peak, [width, 0.3]) == pytest.approx(exact, rel=max(3e-13, 3e-18 / width))


@pytest.mark.parametrize(("rule", "nested"), [(LINE, 0), (LINE, 1), (UNIT, 0), (UNIT, 1)])
@pytest.mark.parametrize("request_", [BASE, DOUBLE])
def test_weights_sum_to_one(rule, nested, request_):
    grid = Grid(rule, nested=nested)
    if not nested:
        assert grid.ask(peak, [0.1, 0.2], ADAPT) == OK
    assert grid.ask(peak, [0.1, 0.2], 0 if nested and request_ == DOUBLE else request_) == OK
    assert math.fsum(grid.w[: grid.off[1]]) == pytest.approx(1.0, abs=1e-15)


def test_counts_run_until_the_tail_is_negligible():
    grid = Grid(COUNT)
    assert grid.ask(poisson, [300.0], ADAPT) == OK
    assert grid.integrate(poisson, [300.0]) == pytest.approx(1.0, abs=1e-12)


def test_trouble_is_a_status():
    assert Grid(UNIT, panels=4).ask(peak, [1e-5, 0.3], ADAPT) == CAPACITY
    assert Grid(UNIT).ask(poison, [1.0], ADAPT) == NON_FINITE


@pytest.mark.parametrize(("rule", "places"), [(LINE, (1.0, 13.5)), (LINE, (-1.0, -13.5)), (LINE, (8.0, -13.5)), (RAY, (0.5, 1.25))])
def test_mass_next_to_panels_chosen_elsewhere_is_seen(rule, places):
    width = 0.3 if rule == LINE else 0.02
    grid = Grid(rule)
    assert grid.ask(bumps, [*places, width, 0.0], ADAPT) == OK
    for weight, expected in ((0.0, OK), (1e-17, OK), (1e-9, SPILLS), (1e9, SPILLS)):
        assert grid.ask(bumps, [*places, width, weight], EDGES) == expected
    # what the panels hold may itself be at their edge
    assert grid.ask(bumps, [places[0], places[0], width, 0.0], EDGES) == OK
