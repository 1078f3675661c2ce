"""Replica symmetry breaking in k steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Self

from replica.ansatz.base import Ansatz
from replica.ingredients import Value, parameter

FREE = "free"


@dataclass(frozen=True)
class RSB(Ansatz):
    """Replicas in k nested groups.

    Args:
        k: number of steps, 1 or more.
        x: Parisi parameter: "free" where it is extremized, a number, or an expression of
            controls.  At zero temperature it is in units of the temperature.
    """

    k: Annotated[int, "value"] = parameter(1, "integers [1, inf)", "number of steps")
    x: Value | None = parameter(FREE, "(0, inf)", "Parisi parameter")

    @property
    def free(self) -> bool:
        """Whether the Parisi parameter is extremized."""
        return self.x == FREE

    def bind(self, names: Mapping[str, Any]) -> Self:
        if not self.free:
            return super().bind(names)
        bound = replace(self, x=1).bind(names)
        return replace(bound, x=FREE)
