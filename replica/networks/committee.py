"""Committee machine: several hidden units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from replica.activations.erf import Erf
from replica.ingredients import Activation, Network, Value, Word, parameter


@dataclass(frozen=True)
class Committee(Network):
    """z = sum_m activation(w_m.x/sqrt(d)), with a second layer of ones or a trained one.

    Args:
        units: hidden units.
        activation: output of a hidden unit.
        readout: "fixed" or "trained".
    """

    units: Value = parameter(2, "integers [1, inf)", "number of hidden units")
    activation: Activation = parameter(Erf(), meaning="output of a hidden unit")
    readout: Word = parameter("fixed", meaning="whether the second layer is trained", words=("fixed", "trained"))

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return cls(), cls(units=4, readout="trained")
