"""Uncertainty sampling."""

from __future__ import annotations

from dataclasses import dataclass

from replica.asking import Asking


@dataclass(frozen=True)
class UncertaintySampling(Asking):
    """Asks for the labels that a learner by message passing is least sure of."""
