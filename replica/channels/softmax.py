"""Softmax channel: one of several classes."""

from __future__ import annotations

from dataclasses import dataclass

from replica.ingredients import Channel, Value, parameter


@dataclass(frozen=True)
class Softmax(Channel):
    """P(class k) is proportional to exp(z_k), with one field for each class; declared only.

    Args:
        classes: number of classes.
    """

    built = False
    classes: Value = parameter(2, "integers [2, inf)", "number of classes")
