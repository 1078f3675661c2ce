"""Query by committee."""

from __future__ import annotations

from dataclasses import dataclass

from replica.asking import Asking
from replica.ingredients import Value, parameter


@dataclass(frozen=True)
class QueryByCommittee(Asking):
    """Asks for the labels on which learners disagree most that agree with all labels so far.

    Args:
        members: learners.
        flights: billiard flights of a member between two batches.
    """

    members: Value = parameter(16, "integers [2, inf)", "learners of the committee")
    flights: Value = parameter(2, "integers [1, inf)", "billiard flights of a member between two batches")
