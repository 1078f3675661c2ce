"""A matrix of pairs of two latents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from replica.ingredients import Law, Value, Words, parameter


@dataclass(frozen=True)
class Pairwise(Law):
    """Y_ij ~ channel(u_i v_j / sqrt(N)) for the coordinates of two latents; declared only.

    Args:
        of: the two latents.
        ratio: size of the second over the first.
        keep: fraction of the entries that are seen.
    """

    built = False
    of: Words = parameter(meaning="pair of latents")
    ratio: Value = parameter(1, "(0, inf)", "size of the second latent over that of the first")
    keep: Value = parameter(1, "(0, 1]", "fraction of the entries that are seen")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls(("user", "item"), ratio=0.1, keep=0.5),)
