"""Overlaps of two-layer linear networks in 15 dimensions, and the rates that their slow flow gives."""

import numpy as np

from numerics.flow.values import FlowValues
from numerics.native import Kernel

BLOCKS = (slice(0, 5), slice(5, 15))


def overlaps(w, v, teacher):
    """Products of weights, block by block; the field of the teacher is teacher.x."""
    return {
        "Q": np.array([w[:, b] @ w[:, b].T for b in BLOCKS]),
        "R": np.array([(w[:, b] @ teacher[b])[:, None] for b in BLOCKS]),
        "v": v,
        "T": np.array([[[teacher[b] @ teacher[b]]] for b in BLOCKS]),
    }


def rates(module, at, start):
    """Derivatives in the number of steps, by name."""
    theory = module.theory
    values = FlowValues(theory.system, module.plan, {control.name: float(control.value) for control in theory.controls} | at)
    state, out = values.pack(start), np.zeros(values.length(module.plan.state))
    scratch, spare = np.zeros(max(1, values.length(module.plan.scratch))), np.zeros(1)
    Kernel(module.rates)(state, values.parameters(theory.system.phases[0]), scratch, values.integers(), spare, out)
    return {name: found[0] for name, found in values.unpack(out[None]).items()}
