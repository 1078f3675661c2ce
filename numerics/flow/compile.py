"""A theory's flow as machine code, from the cache where its like was compiled before."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from numerics import native
from numerics.build import build
from numerics.cache import KernelCache, digest
from numerics.flow.layout import Layout, layout
from numerics.flow.lower import source
from replica.theory import Theory

RATES, RESULTS = "replica_rates", "replica_results"
SHARED = ("replica_flow", "replica_factor", "replica_inverse")
_HERE = Path(__file__).parent


@dataclass(frozen=True)
class FlowModule:
    """A compiled flow.

    Args:
        rates, results: addresses of functions (x, p, w, n, spare, out).
        warm: whether machine code came from the cache.
    """

    theory: Theory
    plan: Layout
    rates: int
    results: int
    warm: bool


def compile_flow(theory: Theory, cache: str | Path | None = None) -> FlowModule:
    """Compile the flow of a theory.

    Raises:
        Unprintable: a function that compiled flows do not know.
        CacheError: the folder of the cache belongs to another user.
    """
    flow = theory.system
    plan = layout(flow, [control.symbol for control in theory.controls], theory.observables)
    text = source(flow, plan, list(theory.observables.values()), (RATES, RESULTS))
    store = KernelCache(cache)
    key = digest("flow", text)
    loaded = store.find(key) or store.store(key, native.object_code([text], (RATES, RESULTS)), {"flow": True})
    rates, results = native.load(loaded.code, (RATES, RESULTS))
    return FlowModule(theory, plan, rates, results, loaded.warm)


def march(table: int, tolerance: float) -> int:
    """Integrate what a table (numerics.flow.march) describes; returns how it ended."""
    kind = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_double)
    return int(kind(shared()[0])(table, tolerance))


@cache
def shared() -> tuple[int, ...]:
    """Addresses of the integrator and of the factors, compiled first where this installation has not done so."""
    files = [_HERE / name for name in ("march.py", "support.py", "entries.py")]
    files += [_HERE.parent / "build.py", _HERE.parent / "native.py", _HERE.parent / "methods" / "raw.py"]
    store = KernelCache()
    key = digest("march", *(file.read_bytes() for file in files))
    found = store.find(key) or store.store(key, build("numerics.flow.entries"), {"flow": True})
    return native.load(found.code, SHARED)
