"""Network cut between client and server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from replica.ingredients import Network, Value, Values, parameter


@dataclass(frozen=True)
class Split(Network):
    """Fully connected layers of which the first `cut` stay with the client; simulated only.

    Args:
        widths: widths, counts.
        cut: layers with the client.
    """

    simulated_only = True
    widths: Values = parameter(domain="integers [1, inf)", meaning="width of a layer")
    cut: Value = parameter(1, "integers [1, inf)", "number of layers with the client")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls((128, 64, 10)),)
