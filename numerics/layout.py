"""What the compiled solver and its callers agree on: rules and charts by number, columns of results, the table of addresses."""

from __future__ import annotations

import math
from typing import NamedTuple

from numerics.program import Rule
from replica.symbols import Domain

# rules of loops
RULES = {Rule.LINE: 0, Rule.UNIT: 1, Rule.COUNT: 2, Rule.RAY: 3, Rule.FIELD: 4}
LINE, UNIT, COUNT, RAY, FIELD = RULES.values()
ORDER = 16  # nodes of a panel
FIRST_NESTED = (32, 2, 32, 2, 64)  # first size of a nested loop by rule: trapezoid nodes, panels, counts, panels, trapezoid nodes
PROBES = 128  # integrals of one loop that adaptation can watch
STACK, DEPTH = 3, 96  # rows of the adaptation's workspace: totals, a panel under test, and the panels that wait
# columns of `loops`; LATE: only values need it; from INSIDE on: whether it reads the variable of loop j
RULE, NESTED, SIZE, LATE, INSIDE = range(5)

# charts of unknowns
REAL, ABOVE, BELOW, BETWEEN = range(4)

# columns of `info`
INFO = 5  # residual, quadrature error, steps, nodes, and in a march how far from the prediction (infinite after a restart)
RESIDUAL_AT, ERROR_AT, STEPS_AT, NODES_AT, JUMP_AT = range(INFO)

WORTHLESS = 1e-6  # a solution with a larger relative error is none
MOST_PANELS = 1024  # per loop of depth 0
WINDOW = 5  # steps that Anderson's acceleration combines
LOCAL = 13 + 2 * WINDOW  # vectors of workspace
TRAIL = 6  # rows in which results are followed to the end of a domain

# what numerics.quadrature.arrange is asked for: >= 0 doubles one nested loop, DOUBLE all loops of depth 0, BASE nothing; ADAPT chooses
# panels anew, GENEROUS too but saves no nodes where the equations need none (values may), FINISH does so for the loops that only values
# need, which are empty until then, and doubles the others; EDGES changes nothing and tells whether mass lies beyond the panels
BASE, DOUBLE, ADAPT, FINISH, GENEROUS, EDGES = -1, -2, -3, -4, -5, -6
ADOPT = 100  # plus the refinement: makes it permanent
VALUES = -100  # what `inspect` is asked for besides nodes


class Slots(NamedTuple):
    """The table that a march is called with."""

    residual: int  # addresses of kernels
    values: int
    inside: int
    probe: int
    loops: int  # addresses of arrays: the rules of the loops
    kinds: int  # charts of the unknowns
    low: int
    high: int
    conjugate: int
    points: int  # what is asked for
    starts: int
    found: int  # what is answered
    results: int
    info: int
    status: int
    jacobian: int
    panels: int  # quadrature
    x: int
    w: int
    off: int
    empty: int  # offsets of loops without nodes
    scr: int
    out: int
    work: int
    place: int
    left: int  # address of how many evaluations of an integrand may still be made
    local: int  # workspace
    trail: int
    loop_count: int  # numbers: sizes of the arrays above
    unknowns: int
    controls: int
    total: int
    rows: int
    names: int
    capacity: int
    nodes: int
    scratch: int
    outputs: int
    sweeps: int  # limits of the iterations, and the point to begin with
    steps: int
    first: int
    lone: int  # 1: a march ends where its branch does, and does not start anew


AT = Slots(*range(len(Slots._fields)))  # place of each name in the table


def chart_of(domain: Domain) -> int:
    """The chart of an open domain."""
    low, high = math.isfinite(domain.lower), math.isfinite(domain.upper)
    return BETWEEN if low and high else ABOVE if low else BELOW if high else REAL


def local_size(n: int, c: int) -> int:
    """Doubles of workspace for n unknowns and c controls: what a kernel writes, a matrix, its pivots, and LOCAL vectors."""
    return n * (1 + n + c) + n * n + n + LOCAL * (n + c)
