"""The named results of a module at many points at once, on nodes that are the same for all: scalar functions of message passing.

Loops run over windows that the kernel itself places at each point, so fixed nodes serve all points; how many are enough is for the
caller to say.  Nothing is adapted and nothing is checked: algorithms on noisy data need neither.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable, Mapping
from functools import cache

import numpy as np

from numerics.compile import Module
from numerics.native import load, object_code
from numerics.program import Rule

NODES = 96
"""Nodes of a loop on [0, 1]."""
_ORDER, _REACH, _STEP, _COUNTS = 16, 9.0, 0.25, 400

_TEXT = """
define i64 @replica_rows(i64 %kernel, i64 %count, i64 %p, i64 %stride, i64 %x, i64 %w, i64 %off, i64 %scr, i64 %out, i64 %width) {
start:
  %call = inttoptr i64 %kernel to ptr
  %any = icmp sgt i64 %count, 0
  br i1 %any, label %row, label %done
row:
  %k = phi i64 [ 0, %start ], [ %next, %row ]
  %there = mul i64 %k, %stride
  %point = add i64 %p, %there
  %here = mul i64 %k, %width
  %result = add i64 %out, %here
  %written = call i64 %call(i64 %point, i64 %x, i64 %w, i64 %off, i64 %scr, i64 %result)
  %next = add i64 %k, 1
  %more = icmp slt i64 %next, %count
  br i1 %more, label %row, label %done
done:
  ret i64 0
}
"""


class Rows:
    """Named results of a module without unknowns, row by row."""

    def __init__(self, module: Module, nodes: int = NODES) -> None:
        self.names, self.results = module.names, module.values_order
        self._kernel = module.values
        parts = [_nodes(loop.rule, nodes) for loop in module.loops]
        self._x = np.concatenate([x for x, _ in parts]) if parts else np.zeros(1)
        self._w = np.concatenate([w for _, w in parts]) if parts else np.zeros(1)
        self._off = np.cumsum([0, *(len(x) for x, _ in parts)]).astype(np.int64)
        self._scratch = module.scratch(self._off.tolist())

    def __call__(self, at: Mapping[str, np.ndarray | float]) -> dict[str, np.ndarray]:
        """Results (N,) by name, at parameters that are numbers or arrays (N,)."""
        shape = np.broadcast_shapes(*(np.shape(at[name]) for name in self.names))
        (count,) = shape or (1,)
        points = np.empty((count, max(1, len(self.names))))
        for column, name in enumerate(self.names):
            points[:, column] = at[name]
        out = np.empty((count, len(self.results)))
        arrays = (self._x, self._w, self._off, np.zeros(self._scratch))  # scratch of its own, so that threads may call at once
        _driver()(self._kernel.address, count, points.ctypes.data, points.strides[0], *(a.ctypes.data for a in arrays),
                  out.ctypes.data, out.strides[0])
        return {name: np.ascontiguousarray(out[:, column]).reshape(shape) for column, name in enumerate(self.results)}


def _nodes(rule: Rule, count: int) -> tuple[np.ndarray, np.ndarray]:
    if rule is Rule.COUNT:
        return np.arange(float(_COUNTS)), np.ones(_COUNTS)
    if rule is Rule.LINE:
        x = np.arange(-_REACH, _REACH + _STEP / 2, _STEP)
        w = np.exp(-(x**2) / 2)
        return x, w / w.sum()
    if rule is Rule.FIELD:
        step = math.sqrt(4 * math.pi / (4 * count))
        return step * (np.arange(4 * count) - (4 * count - 1) / 2), np.full(4 * count, step)
    x, w = np.polynomial.legendre.leggauss(_ORDER)
    panels = max(1, count // _ORDER)
    starts = np.arange(panels)[:, None] / panels
    return np.ravel(starts + (1 + x) / (2 * panels)), np.tile(w / (2 * panels), panels)


@cache
def _driver() -> Callable[..., int]:
    (address,) = load(object_code([_TEXT], ["replica_rows"]), ["replica_rows"])
    return ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * 10)(address)
