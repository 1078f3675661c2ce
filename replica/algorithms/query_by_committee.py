"""Query by committee."""

from __future__ import annotations

from dataclasses import dataclass

from replica.ingredients import Algorithm


@dataclass(frozen=True)
class QueryByCommittee(Algorithm):
    """Asks for the label on which several learners disagree most."""
