"""Singular value decomposition."""

from __future__ import annotations

from dataclasses import dataclass

from replica.ingredients import Protocol


@dataclass(frozen=True)
class SVD(Protocol):
    """The best low-rank fit; simulated only."""

    simulated_only = True
    energy = False
