"""A table of logits."""

from __future__ import annotations

from dataclasses import dataclass

from replica.ingredients import Network


@dataclass(frozen=True)
class Table(Network):
    """One free logit for each pair of input and output symbol."""
