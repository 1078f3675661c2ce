"""Replica symmetry breaking in k steps."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any

from replica.ansatz.base import Ansatz
from replica.ingredients import FREE, Ladder, parameter


@dataclass(frozen=True)
class RSB(Ansatz):
    """Replicas in k nested groups.

    Args:
        k: number of steps, 1 or more.
        x: Parisi parameters: "free" where they are extremized; else of one step a number or an expression of controls, of several a list
            of k, ascending, the outermost first, each of them that or "free".  At zero temperature they are in units of the temperature.
    """

    k: Annotated[int, "value"] = parameter(1, "integers [1, inf)", "number of steps")
    x: Ladder = parameter(FREE, "(0, inf)", "Parisi parameter")

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.k, str):
            raise ValueError(f"RSB: k, the number of steps, must be a whole number and no expression of controls, found {self.k!r}.")
        if self.x == FREE:
            return
        given = self.x if isinstance(self.x, tuple) else (self.x,)
        if len(given) != self.k:
            many = f"a list of {self.k} Parisi parameters, outermost first" if self.k != 1 else "one Parisi parameter"
            raise ValueError(f"RSB: with k = {self.k} x is {many}, or \"free\"; found {len(given)}.")
        if len(given) == 1 or set(given) == {FREE}:
            object.__setattr__(self, "x", given[0])
        for low, high in pairwise(value for value in given if isinstance(value, int | float)):
            if low >= high:
                raise ValueError(f"RSB: Parisi parameters ascend from the outermost to the innermost step, x has {low} before {high}.")

    @property
    def ladder(self) -> tuple[Any, ...]:
        """The Parisi parameters of all steps, outermost first."""
        return self.x if isinstance(self.x, tuple) else (self.x,) * int(self.k)

    @property
    def free(self) -> bool:
        """Whether all Parisi parameters are extremized."""
        return self.x == FREE
