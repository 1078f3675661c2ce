"""Observables that a spec declares, of one-pass runs: averages over fresh samples, and formulas of what was measured."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp

from replica.formula import exact, names_in, parse, parse_condition
from replica.spec.observables import Average, Combination
from simulate.draw.numbers import number
from simulate.learn.tape import Tape, numpy_operations

_Y, _Z = sp.symbols("y z", real=True)


@dataclass(frozen=True)
class Declared:
    """An average over samples.

    Args:
        odds: (C,) of the cells that samples come from; None: as in the last stage.
        tape: (y, z) -> values that count, and whether they do.
    """

    name: str
    odds: np.ndarray | None
    tape: Tape

    def __call__(self, y: np.ndarray, z: np.ndarray) -> float:
        """The mean over the samples that count; NaN where none does."""
        values, counted = self.tape(y, z)
        return float(np.sum(values) / np.sum(counted)) if np.any(counted) else math.nan


def averages(spec: Any, at: Mapping[str, float], cells: Sequence[tuple[str, str, Any, Any]]) -> tuple[Declared, ...]:
    """The declared averages of the one learner.

    Args:
        cells: (slice, group, record of the slice, record of the group) in the order of the system.
    """
    ((learner, record),) = spec.learners.items()
    words = {**{name: exact(value) for name, value in at.items()}, "y": _Y, "z": _Z, f"z_{learner}": _Z}
    words["loss"] = sp.sympify(record.loss.bind(words).formula(_Y, _Z))
    found = []
    for name, one in (spec.observables or {}).items():
        if isinstance(one, Average):
            given = sp.true if one.given is None else parse_condition(one.given, words)
            counted = sp.Piecewise((sp.S.One, given), (sp.S.Zero, True))
            odds = None
            if one.on is not None:
                shares = [number(1 if g.share is None else g.share, at) * (one.on in (s, k)) for s, k, _, g in cells]
                odds = np.array(shares, float) / sum(shares)
            body = parse(str(one.average), words)
            found.append(Declared(name, odds, Tape((body * counted, counted), (_Y, _Z), numpy_operations())))
    return tuple(found)


def combined(spec: Any, at: Mapping[str, float], found: Mapping[str, float]) -> dict[str, float]:
    """The declared formulas of controls and of what was measured; those of anything else are left out."""
    made: dict[str, float] = {}
    for name, record in (spec.observables or {}).items():
        if isinstance(record, Combination):
            names = {**at, **found, **made}
            if set(names_in(str(record.formula))) <= set(names):
                made[name] = number(str(record.formula), names)
    return made
