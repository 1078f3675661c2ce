"""Denoising score matching."""

from __future__ import annotations

from dataclasses import dataclass

from replica.ingredients import Loss


@dataclass(frozen=True)
class ScoreMatching(Loss):
    """Squared distance between the output and the noise that corrupted the input, per coordinate; declared only."""

    built = False
