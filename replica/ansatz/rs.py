"""Replica symmetry."""

from __future__ import annotations

from dataclasses import dataclass

from replica.ansatz.base import Ansatz


@dataclass(frozen=True)
class RS(Ansatz):
    """All replicas of a learner are alike: one overlap q between two of them."""
