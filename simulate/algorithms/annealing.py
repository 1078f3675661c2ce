"""Simulated annealing: of constraints on weights of few values as a search by steps, of all other systems as sampling of low states."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from simulate.algorithms.parts.copies import Cooled
from simulate.draw import bound, is_disorder, is_formula, number
from simulate.learn.annealing import solve as solve


class Annealing(Cooled):
    """One copy, without a center."""

    @classmethod
    def takes(cls, spec: Any, at: Mapping[str, float]) -> bool:
        if is_disorder(spec) or len(spec.learners) != 1:
            return False
        (learner,) = spec.learners.values()
        if learner.prior is not None and not bound(learner.prior, at).atoms():
            return False
        cold = learner.protocol.kind == "gibbs" and np.isinf(number(learner.protocol.beta, at))
        if is_formula(spec):
            return cold or learner.protocol.kind == "erm"
        return (learner.loss is None or learner.loss.kind == "theta") and (cold or learner.protocol.kind == "bayes")
