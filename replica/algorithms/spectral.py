"""Spectral method."""

from __future__ import annotations

from dataclasses import dataclass

from replica.ingredients import Algorithm


@dataclass(frozen=True)
class Spectral(Algorithm):
    """Leading eigenvector of a matrix made of the data."""
