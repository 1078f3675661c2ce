"""How a run of an algorithm ended: one enum, and its value is the sentence the user reads."""

from __future__ import annotations

from enum import Enum


class Status(Enum):
    SOLVED = "solved: every constraint is met"
    CONVERGED = "converged"
    FINISHED = "all steps that were asked for are done"
    LIMIT = "step limit reached before the goal"
    DIVERGED = "the iteration diverges or is not finite; more damping may hold it"
    STUCK = "no step is left that helps"

    @property
    def ok(self) -> bool:
        """Whether the numbers that come with it are a result."""
        return self in (Status.SOLVED, Status.CONVERGED, Status.FINISHED)

    def __str__(self) -> str:
        return self.value
