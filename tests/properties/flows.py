"""Specs of one-pass learning, and their compiled flows."""

from functools import cache

import numpy as np

from numerics.flow.compile import compile_flow
from numerics.flow.values import FlowValues
from numerics.native import Kernel
from replica.derive import derive
from replica.spec import Spec

COMMITTEE = """format = 1
name = "committee"
[teacher]
prior   = "gaussian"
network = {{ kind = "committee", units = {m}, activation = "{teacher}" }}
channel = {{ kind = "linear", variance = "Delta" }}
[student]
protocol = {{ kind = "online_sgd", rate = "eta", batch = "b" }}
loss     = "square"
network  = {{ kind = "committee", units = "K", activation = "{student}"{readout} }}
[controls]
alpha = {{ value = 1000.0, domain = "(0, inf)" }}
eta   = {{ value = 0.2, domain = "(0, inf)" }}
Delta = {{ value = 0.0, domain = "[0, inf)" }}
K     = {{ value = 2, domain = "integers [1, inf)" }}
b     = {{ value = 1, domain = "integers [1, inf)" }}
"""


def committee(student: str = "erf", teacher: str = "erf", m: int = 2, trained: bool = False) -> str:
    return COMMITTEE.format(student=student, teacher=teacher, m=m, readout=', readout = "trained"' if trained else "")


@cache
def flow_of(text: str):
    """The compiled flow of a spec's text."""
    return compile_flow(derive(Spec.from_toml(text)))


def drawn(units: int, directions: int, seed: int = 0, spread: float = 0.3) -> dict[str, np.ndarray]:
    """Overlaps of random vectors; directions are orthonormal."""
    rng = np.random.default_rng(seed)
    w = rng.standard_normal((units, 40)) / np.sqrt(40)
    w[:, :directions] *= spread * np.sqrt(40)
    return {"Q": (w @ w.T)[None], "R": w[None, :, :directions], "T": np.eye(directions)[None]}


def rates_of(text: str, start: dict[str, np.ndarray], **at: float) -> dict[str, np.ndarray]:
    """What a flow adds to its unknowns per unit of time."""
    module = flow_of(text)
    theory = module.theory
    point = {control.name: float(control.value) for control in theory.controls} | at
    values = FlowValues(theory.system, module.plan, point)
    state, parameters = values.pack(values.start(None, 0) | start), values.parameters(theory.system.phases[0])
    found, scratch = np.zeros(len(state)), np.zeros(max(1, values.length(module.plan.scratch)))
    Kernel(module.rates)(state, parameters, scratch, values.integers(), np.zeros(1), found)
    return {name: value[0] for name, value in values.unpack(found[None]).items()}
