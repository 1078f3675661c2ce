"""Paths through a layered graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Self

from replica.ingredients import Law, Table, Value, parameter


@dataclass(frozen=True)
class LayeredPaths(Law):
    """Traces of a search for the cheapest path through a random layered graph; declared only.

    Args:
        layers: layers.
        width: nodes in a layer.
        costs: costs that an edge may have.
        density: fraction of the edges that exist.
        trace: e.g. `{ order = "eta", repeat = 0 }`.
    """

    built = False
    layers: Value = parameter(domain="integers [2, inf)", meaning="number of layers")
    width: Value = parameter(domain="integers [1, inf)", meaning="nodes in a layer")
    costs: Value = parameter(domain="integers [1, inf)", meaning="number of costs of an edge")
    density: Value = parameter(1, "(0, 1]", "fraction of the edges that exist")
    trace: Annotated[Table, "table"] | None = parameter(None, meaning="law of the trace")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(layers=7, width=6, costs=5, density=0.6),)
