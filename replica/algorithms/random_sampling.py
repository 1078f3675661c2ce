"""Random sampling."""

from __future__ import annotations

from dataclasses import dataclass

from replica.asking import Asking


@dataclass(frozen=True)
class RandomSampling(Asking):
    """Asks for labels at random: what every other way of asking is measured by."""
