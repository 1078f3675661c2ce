"""One-pass learning of a committee machine: the rates of its overlaps, and a run to late times."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.kernels import repeat
from benchmarks.table import Measure, best_of
from numerics.flow.compile import compile_flow
from numerics.flow.trajectory import trajectory
from numerics.flow.values import FlowValues
from replica.derive import derive
from replica.spec import load

CALLS = 500
TOLERANCE, FINER = 1e-9, 1e-12


def measures() -> Iterator[Measure]:
    """Seconds of the rates at K = 4, M = 2, and of K = M = 2 to alpha = 1000."""
    theory = derive(load("committee_erf"))
    module = compile_flow(theory)
    point = {control.name: float(control.value) for control in theory.controls} | {"K": 4.0}
    values = FlowValues(theory.system, module.plan, point)
    state, parameters = values.pack(values.start(1000, 0)), values.parameters(theory.system.phases[0])
    scratch, integers = np.zeros(max(1, values.length(module.plan.scratch))), values.integers()
    memory = (state, parameters, scratch, integers, np.zeros(1), np.zeros(len(state)))
    seconds = best_of(lambda: repeat(module.rates, CALLS, *memory), repeats=200, warm=5) / CALLS
    yield Measure("rates of a committee machine, K = 4, M = 2", seconds, "s", 3e-6)

    at = {"K": 2.0, "alpha": 1000.0, "Delta": 0.0}
    found, finer = (trajectory(module, at, tol=tolerance) for tolerance in (TOLERANCE, FINER))
    assert found.ok and finer.ok, found.status
    apart = max(float(np.max(np.abs(found.last[name] - value))) for name, value in finer.last.items())
    seconds = best_of(lambda: trajectory(module, at, tol=TOLERANCE), repeats=15)
    note = f"{found.steps} steps; {apart:.0e} from a run at {FINER:.0e}"
    yield Measure("committee machine, K = M = 2, to alpha = 1000 at 1e-9", seconds, "s", 20e-3, note=note)
