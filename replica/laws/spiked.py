"""A spike in a symmetric noise matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from replica.ingredients import Law, Value, Words, parameter


@dataclass(frozen=True)
class Spiked(Law):
    """Y = sqrt(snr/N) x x^T + symmetric noise of unit variance; declared only.

    Args:
        of: the latents that are spikes.
        snr: signal-to-noise ratio.
    """

    built = False
    of: Words = parameter(meaning="latent that is the spike")
    snr: Value = parameter(1, "[0, inf)", "signal-to-noise ratio")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(("spike",), snr=2),)
