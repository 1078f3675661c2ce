"""The annealed average."""

from __future__ import annotations

from dataclasses import dataclass

from replica.ansatz.base import Ansatz


@dataclass(frozen=True)
class Annealed(Ansatz):
    """log E Z in place of E log Z: one replica, averaged together with the disorder."""
