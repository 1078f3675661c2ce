"""Approximate message passing."""

from __future__ import annotations

from dataclasses import dataclass

from replica.ingredients import Algorithm


@dataclass(frozen=True)
class AMP(Algorithm):
    """Message passing with the scalar functions of the theory."""
