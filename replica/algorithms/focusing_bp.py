"""Focusing belief propagation."""

from __future__ import annotations

from dataclasses import dataclass

from replica.ingredients import Algorithm


@dataclass(frozen=True)
class FocusingBP(Algorithm):
    """Belief propagation coupled to its own replicas."""
