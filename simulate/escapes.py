"""Escapes from plateaus: distributions of the time at which one-pass runs, and their flows, leave.

A plateau is a saddle.  On it the flow multiplies what tells the units apart, O(1/sqrt d) at the start, so that the time of escape is
random, of mean O(log d) and of width O(1): a run and its flow part there, and point by point they agree no longer.  The noise of the
steps adds to what the start has, so the flow from a run's own start gives the time of that run only roughly; the two distributions are
compared, as independent samples.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from numerics.flow.landmarks import passage, plateaus
from simulate.finite_size import LIMIT, Comparison, Verdict, average, z_score

DROP = 0.7
"""A plateau is left where the observable falls below this part of its level."""
FINE = 40
"""Times, equally spaced in the logarithm, at which runs with an escape are measured besides."""
LATER = 1.5
"""After so many times the last escape, averages are compared point by point again."""
_FEW = 4


@dataclass(frozen=True)
class Departure:
    """An observable that leaves a plateau: it passes `level` on the way, half-way down to what follows."""

    observable: str
    level: float

    @property
    def name(self) -> str:
        """Of its time, in reports."""
        return f"escape[{self.observable}]"

    def time(self, times: np.ndarray, values: np.ndarray) -> float:
        """When it passes; inf where it does not."""
        seen = times > 0
        return passage(times[seen], values[seen], self.level)


def watched(moments: Sequence[float], smallest: int) -> list[float]:
    """The moments, and times from a thousandth of the whole to its end between them, two steps apart in the smallest system."""
    found = list(moments)
    for t in np.geomspace(moments[-1] / 1000, moments[-1], FINE).tolist():
        if min(abs(t - other) for other in (0.0, *found)) * smallest >= 2:
            found.append(t)
    return sorted(found)


def departure(times: np.ndarray, observables: Mapping[str, np.ndarray], measured: Sequence[str]) -> Departure | None:
    """The first of the measured observables that leaves a plateau within these times."""
    for name in measured:
        for plateau in plateaus(times, observables[name]) if name in observables else ():
            after = observables[name][times > plateau.end]
            if len(after) and after.min() < DROP * plateau.value:
                return Departure(name, float(plateau.value + after.min()) / 2)
    return None


def compared(left: Departure, times: Mapping[tuple[int, int], tuple[float, float]], end: float) -> Comparison | None:
    """Mean times of escape at the largest size; the theory's are those of the flows from the runs' own starts.

    Args:
        times: (size, seed) -> times of the run and of its flow, inf where `end` came first.

    Returns:
        None where a flow does not escape in time, which is no statement about runs.
    """
    sizes = sorted({d for d, _ in times})
    here = [pair for (d, _), pair in times.items() if d == sizes[-1]]
    if not all(math.isfinite(flow) for _, flow in here):
        return None
    left_by = {size: [run for (d, _), (run, _) in times.items() if d == size and math.isfinite(run)] for size in sizes}
    means = tuple(average(np.array(found), size) for size, found in left_by.items())
    theory = average(np.array([flow for _, flow in here]), sizes[-1])
    late = sum(not math.isfinite(run) for run, _ in here)
    if late or len(here) < _FEW:
        reason = f"{late} of {len(here)} runs do not leave the plateau before alpha = {end:g}" if late else f"fewer than {_FEW} seeds"
        nothing = (means[-1].value, math.nan, math.nan, math.nan)
        return Comparison(left.name, theory.value, means, None, *nothing, Verdict.INCONCLUSIVE, reason)
    error = math.hypot(means[-1].stderr, theory.stderr)
    z = z_score(means[-1].value, error, means[-1].freedom + theory.freedom, theory.value)
    agrees = abs(z) < LIMIT
    reason = "" if agrees else f"z = {z:.1f} between the times of runs and of their flows"
    outcome = Verdict.AGREES if agrees else Verdict.DISAGREES
    return Comparison(left.name, theory.value, means, None, means[-1].value, error, z, z, outcome, reason)
