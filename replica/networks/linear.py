"""Linear network: one weight vector."""

from __future__ import annotations

from dataclasses import dataclass

from replica.ingredients import Flag, Network, parameter


@dataclass(frozen=True)
class Linear(Network):
    """z = w.x/sqrt(d) + bias.

    Args:
        bias: whether a bias is trained; it is not regularized.
    """

    bias: Flag = parameter(False, meaning="whether a bias is trained")
