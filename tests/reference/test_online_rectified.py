"""Averages of products of kinked functions of up to four fields, against integrals that know neither arcsines nor orthants."""

import ctypes
from functools import cache
from itertools import combinations, product

import numpy as np
import pytest
import sympy as sp
from llvmlite import ir
from scipy.special import ndtr

from numerics import native
from numerics.flow.elementary import Elementary
from numerics.flow.orthants import four_signs
from numerics.flow.trajectory import trajectory
from replica.families.online.gaussian import Fields, expectation
from replica.families.online.reading import X
from replica.families.online.shapes import softened
from replica.families.online.terms import derivative
from tests.properties.flows import committee, drawn, flow_of


def covariance(factors, rest):
    """Of x_i = factors[i].z + rest[i] n_i with independent normals z and n."""
    return factors @ factors.T + np.diag(np.square(rest))


def integral(smooth, factors, rest):
    """E prod_i f_i(x_i) over two common factors, where smooth[i](m, c) = E f_i(m + c n): the trapezoid rule, exact for such functions."""
    x = np.linspace(-9, 9, 541)
    z = np.stack(np.meshgrid(x, x, indexing="ij"))
    total = np.exp(-(z**2).sum(axis=0) / 2) / (2 * np.pi) * (x[1] - x[0]) ** 2
    for function, a, c in zip(smooth, factors, rest, strict=True):
        total = total * function(np.tensordot(a, z, 1), c)
    return total.sum()


def rectified(m, c):
    return m * ndtr(m / c) + c * np.exp(-((m / c) ** 2) / 2) / np.sqrt(2 * np.pi)


FUNCTIONS = {
    "sign": (sp.sign(X), lambda m, c: 2 * ndtr(m / c) - 1),
    "step": (derivative(softened(sp.Max(0, X), X)), lambda m, c: ndtr(m / c)),
    "rectifier": (sp.Max(0, X), rectified),
    "modulus": (sp.Abs(X), lambda m, c: 2 * rectified(m, c) - m),
    "leaky": (sp.Max(X / 5, X), lambda m, c: m / 5 + 4 * rectified(m, c) / 5),
    "square": (sp.Max(0, X) ** 2, lambda m, c: (m**2 + c**2) * ndtr(m / c) + m * c * np.exp(-((m / c) ** 2) / 2) / np.sqrt(2 * np.pi)),
    "field": (X, lambda m, c: m),
}


def kernel(names, matrix):
    """The derived average at a covariance."""
    law = Fields(len(names), True)
    factors = [softened(FUNCTIONS[name][0], X).xreplace({X: x}) for name, x in zip(names, law.variables, strict=True)]
    at = {law.covariance(i, j): sp.Float(float(matrix[i, j]), 25) for i in range(len(names)) for j in range(i + 1)}
    return float(expectation(factors, law).xreplace(at).evalf(20))


@pytest.mark.parametrize(
    "names",
    [
        ("step", "step", "rectifier"),
        ("step", "modulus", "leaky", "field"),
        ("sign", "sign", "sign", "sign"),
        ("step", "step", "rectifier", "rectifier"),
        ("step", "sign", "square", "leaky"),
    ],
)
def test_kernels_of_three_and_four_kinks(names):
    rng = np.random.default_rng(len(names))
    factors, rest = rng.standard_normal((len(names), 2)), rng.uniform(0.4, 1.2, len(names))
    expected = integral([FUNCTIONS[name][1] for name in names], factors, rest)
    assert kernel(names, covariance(factors, rest)) == pytest.approx(expected, rel=1e-11, abs=1e-12)


@cache
def compiled():
    """The code of four signs as a function of the places of ten arguments and seven results."""
    module, number = ir.Module(name="door"), ir.IntType(64)
    inner, pointer = four_signs(module), ir.DoubleType().as_pointer()
    door = ir.Function(module, ir.FunctionType(number, [pointer, pointer]), "door")
    builder = ir.IRBuilder(door.append_basic_block())
    given = [builder.load(builder.gep(door.args[0], [ir.Constant(number, k)])) for k in range(10)]
    builder.call(inner, [*given, door.args[1]])
    builder.ret(ir.Constant(number, 0))
    (address,) = native.load(native.object_code([str(module)], ("door",)), ("door",))
    return ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p)(address)


def signs(matrix):
    row, found = np.concatenate([matrix[np.triu_indices(4, 1)], np.diag(matrix)]), np.zeros(7)
    compiled()(row.ctypes.data, found.ctypes.data)
    return found[0]


def test_angles_in_code():
    module, double = ir.Module(name="angles"), ir.DoubleType()
    elementary, names = Elementary(module), ("angle", "narrow", "turn")
    for name in names:
        door = ir.Function(module, ir.FunctionType(double, [double] * (1 + (name == "turn"))), name)
        builder = ir.IRBuilder(door.append_basic_block())
        builder.ret(getattr(elementary, name)(builder, *door.args))
    addresses = native.load(native.object_code([str(module)], names), names)
    one = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)
    angle, narrow = one(addresses[0]), one(addresses[1])
    turn = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double, ctypes.c_double)(addresses[2])
    for x in np.concatenate([np.linspace(-1, 1, 401), [1e-12, 1 - 1e-16]]):
        assert angle(x) == pytest.approx(np.arcsin(x), rel=5e-16, abs=0)
        if abs(x) <= 0.5:
            assert narrow(x) == pytest.approx(np.arcsin(x), rel=5e-16, abs=0)
        for y in (0.0, 1e-9, 0.3, 1.0, 40.0):
            assert turn(x, y) == pytest.approx(np.arctan2(x, y) if x or y else 0.0, rel=5e-16, abs=0)


@pytest.mark.parametrize("seed", range(6))
def test_four_signs_in_code(seed):
    rng = np.random.default_rng(seed)
    factors, rest = rng.standard_normal((4, 2)) * rng.uniform(0.2, 3), rng.uniform(0.3, 1.5, 4)
    found = signs(covariance(factors, rest))
    assert found == pytest.approx(integral([FUNCTIONS["sign"][1]] * 4, factors, rest), abs=1e-12)


def plane(directions):
    """E of four signs of fields in a plane: they change where the angle meets the zero of a field."""
    edges = np.sort(np.concatenate([(np.arctan2(d[1], d[0]) + np.pi / 2 * np.array([1, 3])) % (2 * np.pi) for d in directions]))
    edges = np.concatenate([edges, [edges[0] + 2 * np.pi]])
    middle = (edges[1:] + edges[:-1]) / 2
    values = np.prod([np.sign(np.cos(middle) * d[0] + np.sin(middle) * d[1]) for d in directions], axis=0)
    return values @ np.diff(edges) / (2 * np.pi)


@pytest.mark.parametrize("width", [0.0, 1e-9, 1e-7])
@pytest.mark.parametrize("seed", range(4))
def test_four_fields_in_a_plane(seed, width):
    # small independent parts turn two signs at once where both fields are small: an area of order width^2 in units of their determinant
    directions = np.random.default_rng(seed).standard_normal((4, 2))
    area = sum(1 / abs(a[0] * b[1] - a[1] * b[0]) for a, b in combinations(directions, 2))
    assert signs(covariance(directions, np.full(4, width))) == pytest.approx(plane(directions), abs=1e-13 + 4 * area * width**2)


def test_fields_that_are_one():
    a = np.random.default_rng(1).standard_normal((4, 6))
    for (i, j), sign in product(((0, 1), (1, 3), (2, 3)), (1, -1)):
        b = a.copy()
        b[j] = sign * b[i]
        matrix = b @ b.T
        matrix = (matrix + matrix.T) / 2
        matrix[j], matrix[:, j] = sign * matrix[i], sign * matrix[:, i]
        matrix[j, j] = matrix[i, i]
        k, l = sorted({0, 1, 2, 3} - {i, j})
        expected = sign * 2 / np.pi * np.arcsin(matrix[k, l] / np.sqrt(matrix[k, k] * matrix[l, l]))
        assert signs(matrix) == pytest.approx(expected, abs=1e-14)
        for apart in (1e-3, 1e-6):  # the sign of a field that is nearly another differs from it in a part of order `apart`
            c = b.copy()
            c[j] += apart * a[j]
            assert abs(signs(c @ c.T) - expected) < 3 * apart
    matrix[0], matrix[:, 0] = 0.0, 0.0
    assert signs(matrix) == 0.0


def path(text, start, units, eta, times=(0.3, 1.0), **options):
    found = trajectory(flow_of(text), {"K": units, "eta": eta, "Delta": 0.2, "alpha": 1.0}, times, start=start, **options)
    assert found.ok
    return found


@pytest.mark.slow
def test_closed_rates_of_rectified_units_agree_with_nodes():
    # a term of 1e-9 that no closed form knows turns all averages over to nodes
    closed = committee("relu", "relu", trained=True)
    sampled = closed.replace('loss     = "square"', 'loss     = { formula = "(y - z)**2/2 + 0.000000001*tanh(y - z)**2" }')
    assert flow_of(sampled).theory.system.nodes and not flow_of(closed).theory.system.nodes
    start = drawn(2, 2, spread=0.5) | {"v": np.array([1.0, 0.7])}
    one = path(closed, start, 2, 0.5)
    apart = [np.abs(path(sampled, start, 2, 0.5, nodes=n).arrays["Q"] - one.arrays["Q"]).max() for n in (2**7, 2**11)]
    assert apart[1] < 0.1 / np.sqrt(2**11) and apart[1] < apart[0] / 4  # kinks leave no more than the rate of draws to these nodes


@pytest.mark.parametrize("activation", ['"relu"', pytest.param('{ formula = "max(z, z/5)" }', marks=pytest.mark.slow)])
def test_equal_units_are_one_that_learns_at_half_the_rate(activation):
    # readouts 1/2 and 1/2 of two equal units, and 0 of one that begins opposite to them: all fields of the student are one
    # for a short time: units that rounding has parted go on to part, for the distance squared grows as its root (noise at the kink)
    text = committee("relu", "relu", trained=True).replace('"relu"', activation)
    text = text.replace('rate = "eta"', 'rate = "eta", readout_rate = "still"') + 'still = { value = 0, domain = "[0, inf)" }\n'
    q, r, side, times = 0.8, np.array([0.4, 0.3]), np.array([1.0, 1.0, -1.0]), (0.05, 0.1)
    one = path(text, {"Q": np.full((1, 1, 1), q), "R": r[None, None], "T": np.eye(2)[None], "v": np.ones(1)}, 1, 0.25, times)
    start = {"Q": q * np.outer(side, side)[None], "R": np.outer(side, r)[None], "T": np.eye(2)[None], "v": np.array([0.5, 0.5, 0.0])}
    other = path(text, start, 3, 0.5, times)
    for i, j in product((0, 1), repeat=2):
        np.testing.assert_allclose(other.arrays["Q"][:, i, j], one.arrays["Q"][:, 0, 0], rtol=0, atol=1e-9)
    np.testing.assert_allclose(other.arrays["R"][:, 0], one.arrays["R"][:, 0], rtol=0, atol=1e-9)
