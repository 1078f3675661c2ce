"""Replicated simulated annealing: copies of a system that gather around a common center while they cool."""

from __future__ import annotations

from simulate.algorithms.parts.copies import Cooled


class ReplicatedAnnealing(Cooled):
    """The center is summed over: sum_r beta E(w_r) - sum_i log 2cosh(gamma sum_r w_ri) for weights of signs."""
