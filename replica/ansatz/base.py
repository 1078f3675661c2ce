"""What an ansatz is: the structure of replica overlaps assumed in solving a model; never part of the model."""

from __future__ import annotations

from replica.ingredients import Ingredient


class Ansatz(Ingredient):
    """An assumed overlap structure."""

    slot = "ansatz"
