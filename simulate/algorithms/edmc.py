"""Entropy-driven Monte Carlo: a reference climbs the local entropy that belief propagation sees around it."""

from __future__ import annotations

from simulate.algorithms.parts.entropic import Entropic
from simulate.algorithms.parts.problems import problem_of
from simulate.algorithms.parts.settling import Settling


class EDMC(Entropic):
    """On any constraints for which there are messages."""

    def prepare(self) -> None:
        options = self.options
        self.messages = Settling(problem_of(self.instance), options["damping"], options["tolerance"], int(options["sweeps"]))
