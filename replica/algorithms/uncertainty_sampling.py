"""Uncertainty sampling."""

from __future__ import annotations

from dataclasses import dataclass

from replica.ingredients import Algorithm


@dataclass(frozen=True)
class UncertaintySampling(Algorithm):
    """Asks for the label of the sample that one learner is least sure of."""
