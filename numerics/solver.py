"""The compiled solver, loaded from the cache, or compiled first where this installation has not done so."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

from numerics import native
from numerics.build import build
from numerics.cache import KernelCache, digest

ENTRIES = ("replica_march", "replica_inspect", "replica_recur")
_HERE = Path(__file__).parent
_SOURCES = ("build.py", "grid.py", "layout.py", "native.py", "quadrature.py", "special/library.py", "status.py")


def march(table: np.ndarray, tolerance: float) -> int:
    """Run the march that a table (numerics.layout.Slots) describes; see numerics.methods.march."""
    return _entries()[0](table.ctypes.data, tolerance)


def inspect(table: np.ndarray, tolerance: float = 0.0) -> int:
    """Nodes or values at the one point of a table; see numerics.methods.inspect."""
    return _entries()[1](table.ctypes.data, tolerance)


def recur(table: np.ndarray, damping: float) -> int:
    """Iterate the map from the start of a table; see numerics.methods.recur."""
    return _entries()[2](table.ctypes.data, damping)


def prepare() -> None:
    """Compile the solver now rather than at the first solution."""
    _entries()


@cache
def _entries() -> tuple[Callable[[int, float], int], ...]:
    store = KernelCache()
    files = [_HERE / name for name in _SOURCES] + sorted(_HERE.glob("methods/*.py"))
    key = digest("solver", *(file.read_bytes() for file in files))
    found = store.find(key) or store.store(key, build("numerics.methods.entries"), {"solver": True})
    kind = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_double)
    return tuple(kind(address) for address in native.load(found.code, ENTRIES))
