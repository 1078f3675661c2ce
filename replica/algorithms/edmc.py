"""Entropy-driven Monte Carlo."""

from __future__ import annotations

from dataclasses import dataclass

from replica.ingredients import Algorithm


@dataclass(frozen=True)
class EDMC(Algorithm):
    """Monte Carlo on an estimate of the local entropy."""
