"""Multi-layer perceptron."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from replica.activations.relu import Relu
from replica.ingredients import Activation, Network, Value, Values, Word, parameter


@dataclass(frozen=True)
class MLP(Network):
    """Fully connected layers, all trained; simulated only.

    Args:
        widths: hidden widths, in units of d.
        activation: output of a hidden unit.
        copy_from: the learner whose layers are the start.
        frozen: layers that are not trained.
    """

    simulated_only = True
    widths: Values = parameter(domain="(0, inf)", meaning="width of a hidden layer in units of d")
    activation: Activation = parameter(Relu(), meaning="output of a hidden unit")
    copy_from: Word | None = parameter(None, meaning="learner whose layers are the start")
    frozen: Value = parameter(0, "integers [0, inf)", "number of layers that are not trained")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (cls((1, 1, 1)),)
