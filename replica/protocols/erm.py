"""Empirical risk minimization."""

from __future__ import annotations

from dataclasses import dataclass

from replica.ingredients import Protocol


@dataclass(frozen=True)
class ERM(Protocol):
    """The weights minimize the sum over samples of the loss plus the sum over weights of the regularizer."""
