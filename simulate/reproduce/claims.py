"""Claims checked: the number found beside the one expected, and whether they agree."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from time import perf_counter
from typing import Any

from replica.papers.record import Claim, Relation
from simulate.reproduce.theories import NotComputable, Theories
from simulate.reproduce.values import number

HOLDS: Mapping[Relation, Callable[[float, float, float], bool]] = {
    Relation.EQUAL: lambda found, expected, tolerance: abs(found - expected) <= tolerance,
    Relation.BELOW: lambda found, expected, tolerance: found < expected - tolerance,
    Relation.ABOVE: lambda found, expected, tolerance: found > expected + tolerance,
}


class State(Enum):
    """What became of a claim."""

    HOLDS = "holds"
    FAILS = "fails"
    NOT_COMPUTABLE = "not computable"


@dataclass(frozen=True)
class Checked:
    """A claim, the number found, and the sentence of what stood in the way."""

    claim: Claim
    state: State
    found: float = math.nan
    reason: str = ""
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        claim = self.claim
        return {
            "claim": claim.sentence,
            "state": self.state.value,
            "found": self.found,
            "relation": claim.relation.value,
            "expected": claim.expected,
            "tolerance": claim.tolerance,
            "origin": claim.origin.value,
            "source": claim.source,
            "reason": self.reason,
            "seconds": round(self.seconds, 3),
        }


def check(theories: Theories, claim: Claim) -> Checked:
    """Compute the number of a claim and judge it."""
    began = perf_counter()
    try:
        found = number(theories, claim.value)
    except NotComputable as reason:
        return Checked(claim, State.NOT_COMPUTABLE, reason=str(reason), seconds=perf_counter() - began)
    holds = HOLDS[claim.relation](found, claim.expected, claim.tolerance)
    return Checked(claim, State.HOLDS if holds else State.FAILS, found, seconds=perf_counter() - began)
