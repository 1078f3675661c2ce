"""Bayes-optimal learner."""

from __future__ import annotations

from dataclasses import dataclass

from replica.ingredients import Protocol


@dataclass(frozen=True)
class Bayes(Protocol):
    """The posterior under the true prior and channel; it has no loss and no regularizer."""

    energy = False
