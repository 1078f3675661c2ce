"""Values of a spec at given controls: numbers, and ingredients whose parameters are numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from replica.formula import exact, parse


def number(value: Any, at: Mapping[str, float]) -> float:
    """A number of a spec, or an expression of controls, at the values `at`."""
    if isinstance(value, str):
        return float(parse(value, {name: exact(v) for name, v in at.items()}))
    return float(value)


def bound(ingredient: Any, at: Mapping[str, float]) -> Any:
    """The ingredient with every parameter a number."""
    return ingredient.bind({name: exact(v) for name, v in at.items()})
