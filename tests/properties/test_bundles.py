"""Many starts at once: the same as one after the other, tickets that are the same at every size, clusters that are counted."""

import ctypes
import math

import numpy as np
import pytest
from llvmlite import ir

from numerics import native
from numerics.flow.coverage import covered
from numerics.flow.elementary import Elementary
from numerics.flow.trajectory import bundle, trajectory
from replica.spec import load
from tests.properties.flows import committee, drawn, flow_of

XOR = load("xor_mixture").to_toml()


def test_starts_at_once_are_starts_one_by_one():
    flow, times = flow_of(committee()), [0.0, 1.0, 50.0]
    found = bundle(flow, {}, times, seeds=(3, 5), threads=2)
    for seed, one in zip((3, 5), found.members, strict=True):
        alone = trajectory(flow, {}, times, seed=seed)
        np.testing.assert_array_equal(one.arrays["Q"], alone.arrays["Q"])
        assert one.origin == alone.origin and f"seed {seed}" in one.origin
    data = found.to_xarray()
    assert data["R"].dims == ("start", "time", "unit", "direction") and data["mse"].shape == (2, 3)
    assert list(data["status"].values) == ["converged"] * 2 and "status" not in data.attrs


def test_given_starts_go_with_their_seeds():
    flow = flow_of(committee())
    given = [drawn(2, 2, seed) for seed in (1, 2)]
    found = bundle(flow, {}, [0.0], starts=given, seeds=(0, 1))
    np.testing.assert_array_equal(found.members[1].arrays["Q"][0], given[1]["Q"][0])
    with pytest.raises(ValueError, match="2 starts for 3 seeds"):
        bundle(flow, {}, [0.0], starts=given, seeds=(0, 1, 2))


def test_what_breaks_off_leaves_gaps():
    flow = flow_of(committee("quadratic", "quadratic", m=1))
    small = {"Q": np.full((1, 1, 1), 1e-3), "R": np.full((1, 1, 1), 1e-3), "T": np.ones((1, 1, 1))}
    large = {"Q": np.full((1, 1, 1), 9.0), "R": np.ones((1, 1, 1)), "T": np.ones((1, 1, 1))}
    found = bundle(flow, {"alpha": 2.0, "eta": 0.05, "K": 1}, [0.0, 2.0], starts=(small, large), seeds=(0, 0))
    data = found.to_xarray()
    assert found.members[0].ok and not found.ok
    assert np.isfinite(data["mse"].values[0]).all() and np.isnan(data["mse"].values[1, -1])


def test_one_seed_is_one_ticket_at_every_size():
    flow = flow_of(XOR)
    near, far = (trajectory(flow, {"size": size}, [0.0], seed=4) for size in (100, 10_000))
    np.testing.assert_allclose(near.arrays["R"], 10 * far.arrays["R"], rtol=0, atol=1e-15)
    assert "10000 dimensions" in far.origin
    assert np.abs(far.arrays["Q"][0] - np.eye(4)).max() < 0.05 < np.abs(near.arrays["Q"][0] - np.eye(4)).max()


def test_without_a_ticket_nothing_is_ever_learned():
    # overlaps with the clusters that vanish are an invariant saddle: an infinite start never leaves it
    flow = flow_of(XOR)
    found = trajectory(flow, {"size": math.inf, "alpha": 50.0}, [0.0, 50.0], nodes=256)
    assert found.ok and "infinite" in found.origin
    np.testing.assert_allclose(found.arrays["R"][-1], 0, rtol=0, atol=1e-13)
    assert covered(flow, found).tolist() == [0, 0]


def test_clusters_are_counted_once():
    flow = flow_of(XOR)
    r = np.array([[0.9, 0.1], [0.8, -0.2], [0.1, -0.9], [-0.9, 0.05]])  # north twice, west; the last barely east
    start = {"Q": np.eye(4)[None], "R": r[None], "v": np.array([0.5, 0.5, -0.5, -0.5])}
    found = trajectory(flow, {}, [0.0], start=start)
    assert covered(flow, found).tolist() == [2] and covered(flow, found, 0.0).tolist() == [3]
    with pytest.raises(ValueError, match="no clusters"):
        plain = flow_of(committee())
        covered(plain, trajectory(plain, {}, [0.0]))


def test_nodes_are_powers_of_two():
    with pytest.raises(ValueError, match="power of two, found 1000"):
        trajectory(flow_of(XOR), {}, [0.0], nodes=1000)


def test_the_exponential_in_flows():
    module, kind = ir.Module(), ir.DoubleType()
    function = ir.Function(module, ir.FunctionType(kind, [kind]), "f")
    builder = ir.IRBuilder(function.append_basic_block())
    builder.ret(Elementary(module).exponential(builder, function.args[0]))
    (address,) = native.load(native.object_code([str(module)], ("f",)), ("f",))
    exp = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(address)
    rng = np.random.default_rng(0)
    for x in [*rng.uniform(-708, 709.78, 2000), *rng.standard_normal(2000), 0.0, -0.0, 1e-300]:
        assert abs(exp(x) / math.exp(x) - 1) < 3e-16
    assert exp(-709.0) == exp(-math.inf) == 0 and exp(709.8) == exp(math.inf) == math.inf and math.isnan(exp(math.nan))
