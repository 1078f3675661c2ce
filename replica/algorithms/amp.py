"""Approximate message passing."""

from __future__ import annotations

from dataclasses import dataclass

from replica.algorithms.gamp import GAMP


@dataclass(frozen=True)
class AMP(GAMP):
    """Message passing on the ansatz of the spec: GAMP on symmetric replicas, GASP on one step of RSB."""
