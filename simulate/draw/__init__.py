"""Finite systems from specs.  Sees the declaration and its ingredients, never a derived equation."""

from simulate.draw.cells import inputs_of, labels_of, teacher_of
from simulate.draw.numbers import bound, number
from simulate.draw.seeds import generator
from simulate.draw.system import draw, is_disorder, is_formula

__all__ = ["bound", "draw", "generator", "inputs_of", "is_disorder", "is_formula", "labels_of", "number", "teacher_of"]
