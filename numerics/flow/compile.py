"""A theory's flow as machine code, from the cache where its like was compiled before."""

from __future__ import annotations

import ctypes
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from numerics import native
from numerics.cache import KernelCache, digest
from numerics.flow.text import Layout, layout, source
from replica.theory import Theory

ENTRY = "replica_flow"
_HERE = Path(__file__).parent


@dataclass(frozen=True)
class FlowModule:
    """A compiled flow.

    Args:
        entry: (address of the table, tolerance) -> how it ended; see numerics.flow.march.
        warm: whether machine code came from the cache.
    """

    theory: Theory
    plan: Layout
    entry: Callable[[int, float], int]
    warm: bool


def compile_flow(theory: Theory, cache: str | Path | None = None) -> FlowModule:
    """Compile the flow of a theory.

    Raises:
        Unprintable: a function that compiled flows do not know.
        CacheError: the folder of the cache belongs to another user.
    """
    flow = theory.system
    plan = layout(flow, [control.symbol for control in theory.controls], theory.observables)
    text = source(flow, plan, list(theory.observables.values()))
    store = KernelCache(cache)
    key = digest("flow", text, _version())
    loaded = store.find(key) or store.store(key, _build(text), {"flow": True})
    (address,) = native.load(loaded.code, (ENTRY,))
    return FlowModule(theory, plan, ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_double)(address), loaded.warm)


def _build(text: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        module, path = Path(folder) / "flow_text.py", Path(folder) / "flow.o"
        module.write_text(text, encoding="utf-8")
        command = [sys.executable, "-m", "numerics.flow.build", str(module), str(path)]
        done = subprocess.run(command, cwd=_HERE.parents[1], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"the flow cannot be compiled: {(done.stderr.strip().splitlines() or ['no message'])[-1]}")
        return path.read_bytes()


@cache
def _version() -> str:
    """Hash of what stands between a flow's text and its machine code."""
    own = [_HERE / name for name in ("march.py", "support.py", "build.py")]
    files = [*own, _HERE.parent / "native.py", _HERE.parent / "methods" / "raw.py"]
    return digest(*(file.read_bytes() for file in files))
