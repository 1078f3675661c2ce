"""The compiled solver's second entry: nodes and named results at one point, for callers that take the steps themselves."""

from __future__ import annotations

from numba import njit

from numerics.layout import AT, DEPTH, ERROR_AT, INSIDE, PROBES, STACK, VALUES
from numerics.methods.point import evaluate_values
from numerics.methods.raw import PART, cube, matrix, vector, whole, whole_matrix
from numerics.methods.state import Kernels, Quadrature, arranged
from numerics.quadrature import PANEL_TOLERANCE


@njit(**PART)
def inspect(address, tolerance):
    """Do what `first` of a table (numerics.layout.Slots) asks for at the point `points`: a request of numerics.quadrature.arrange,
    or VALUES, the named results with their error in `info`, on nodes that double at most `steps` times until none moves.

    Returns OK, CAPACITY or NON_FINITE.
    """
    table = whole(address, len(AT))
    kernels = Kernels(table[AT.residual], table[AT.values], table[AT.inside], table[AT.probe])
    loops = whole_matrix(table[AT.loops], table[AT.loop_count], INSIDE + table[AT.loop_count])
    nodes, m = table[AT.nodes], table[AT.unknowns] + table[AT.controls]
    q = Quadrature(
        loops, cube(table[AT.panels], len(loops), table[AT.capacity], 2), vector(table[AT.x], nodes), vector(table[AT.w], nodes),
        whole(table[AT.off], len(loops) + 1), vector(table[AT.scr], table[AT.scratch]), vector(table[AT.out], table[AT.outputs]),
        matrix(table[AT.work], STACK + DEPTH, PROBES + 2), vector(table[AT.left], 1), vector(table[AT.place], m + 1),
    )
    p = vector(table[AT.points], m)
    if table[AT.first] != VALUES:
        return arranged(kernels, q, p, table[AT.first], tolerance if tolerance > 0.0 else PANEL_TOLERANCE)
    status, error = evaluate_values(kernels, q, p, vector(table[AT.results], table[AT.names]), table[AT.steps])
    vector(table[AT.info], ERROR_AT + 1)[ERROR_AT] = error
    return status
