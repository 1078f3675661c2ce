"""Label-informed sampling."""

from __future__ import annotations

from dataclasses import dataclass

from replica.asking import Asking


@dataclass(frozen=True)
class LabelInformed(Asking):
    """Asks for the labels that surprise a learner most, which it knows beforehand: a bound on those who do not, and no strategy."""
