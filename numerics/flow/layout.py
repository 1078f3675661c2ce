"""Where the arrays of a flow live in the memory of compiled code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sympy as sp

from replica.theory import Array, Flow


@dataclass(frozen=True)
class Layout:
    """Where every array lives: "x" (state), "p" (parameters) or "w" (scratch), and the order of sizes and offsets in the integer table.

    Args:
        sizes: symbols of axes; scalars: parameters without axes, controls last.
    """

    state: tuple[Array, ...]
    parameters: tuple[Array, ...]
    scratch: tuple[Array, ...]
    nodes: tuple[Array, ...]
    scalars: tuple[sp.Symbol, ...]
    sizes: tuple[sp.Symbol, ...]
    results: tuple[str, ...]

    @property
    def places(self) -> dict[sp.IndexedBase, tuple[str, Array]]:
        """base -> (memory, array)."""
        groups = (("x", self.state), ("p", (*self.parameters, *self.nodes)), ("w", self.scratch))
        return {array.base: (memory, array) for memory, arrays in groups for array in arrays}


def layout(flow: Flow, controls: Sequence[sp.Symbol], results: Iterable[str]) -> Layout:
    """The layout of a flow; what moves comes first in the state."""
    moving = {definition.target.base for definition in flow.equations}
    state = tuple(sorted(flow.unknowns, key=lambda array: array.base not in moving))
    scalars = dict.fromkeys(key for phase in flow.phases for key in phase.values if isinstance(key, sp.Symbol))
    nodes: list[Array] = []
    for rule in flow.nodes:
        wide = type(rule.axis)(rule.dimension, "normal", rule.dimension)
        nodes += [Array(rule.points, (wide, rule.axis)), Array(rule.weights, (rule.axis,))]
    sizes = (*(axis.symbol for axis in flow.axes), *(rule.axis.symbol for rule in flow.nodes))
    return Layout(state, flow.parameters, flow.scratch, tuple(nodes), (*scalars, *controls), sizes, tuple(results))
