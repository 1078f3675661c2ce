"""What the compiled solver and its callers agree on: rules and charts by number, columns of results, the table of addresses."""

from __future__ import annotations

import math

from numerics.program import Rule
from replica.symbols import Domain

# rules of loops
RULES = {Rule.LINE: 0, Rule.UNIT: 1, Rule.COUNT: 2}
LINE, UNIT, COUNT = RULES.values()
ORDER = 16  # nodes of a panel
PROBES = 128  # integrals of one loop that adaptation can watch
STACK, DEPTH = 3, 96  # rows of the adaptation's workspace: totals, a panel under test, and the panels that wait
RULE, NESTED, SIZE, INSIDE = range(4)  # columns of `loops`; from INSIDE on: whether the loop reads the variable of loop j

# charts of unknowns
REAL, ABOVE, BELOW, BETWEEN = range(4)

# columns of `info`
INFO = 5  # residual, quadrature error, steps, nodes, and in a march how far from the prediction (infinite after a restart)
RESIDUAL_AT, ERROR_AT, STEPS_AT, NODES_AT, JUMP_AT = range(INFO)

# the table that a march is called with: addresses of kernels and arrays, then numbers
SLOTS = (
    "residual", "values", "inside", "probe",
    "loops", "kinds", "low", "high", "conjugate",
    "points", "starts", "found", "results", "info", "status", "jacobian",
    "panels", "x", "w", "off", "scr", "out", "work", "place",
    "local", "unknowns", "controls", "count", "rows", "names", "capacity", "nodes", "scratch", "outputs", "sweeps", "steps", "first",
)  # fmt: skip


def chart_of(domain: Domain) -> int:
    """The chart of an open domain."""
    low, high = math.isfinite(domain.lower), math.isfinite(domain.upper)
    return BETWEEN if low and high else ABOVE if low else BELOW if high else REAL


def local_size(n: int, c: int) -> int:
    """Doubles of workspace for n unknowns and c controls; see methods.state.workspace."""
    return n * (1 + n + c) + n + n * n + 4 * n + 4 * (n + c) + c
