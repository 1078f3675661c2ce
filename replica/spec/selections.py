"""Selections at a point of the controls: a pool holds more samples than are kept."""

from __future__ import annotations

from collections.abc import Mapping

from replica.spec.document import Tables
from replica.spec.errors import SpecError
from replica.spec.expressions import evaluate


def check_selections(full: Tables, at: Mapping[str, float]) -> None:
    """Refuse to keep as many samples as there are, or more.

    Args:
        full: an expanded spec.

    Raises:
        SpecError: says how many samples are to be kept, of how many.
    """
    for name, part in full.slices.items():
        if part.selection is None or part.alpha is None:
            continue
        keep, pool = evaluate(part.selection.keep, at), evaluate(part.alpha, at)
        if not keep < pool:
            raise SpecError(f"keeps {keep:g} samples per weight of a pool of {pool:g}; allowed are fewer", ("slice", name, "selection"))
