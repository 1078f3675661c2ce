"""What an algorithm provides.  Sizes, seeds, history, restarts, resume, measurements and comparison with theory follow from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from simulate.instance import Instance
from simulate.iteration.status import Status
from simulate.learn.estimate import Outcome

State = dict[str, Any]
"""All that moves, by name: NumPy arrays, numbers, truth values and words, so that a run can be written down and taken up again."""


class Algorithm:
    """One algorithm on one instance; subclassed once in a file of `simulate.algorithms`.

    Options are the parameters of the record of the same kind in `replica.algorithms`, as numbers.  Two names mean the same everywhere:
    `steps`, after which a run ends with `Status.LIMIT`, and `restarts`, how often a run that failed is begun anew.
    """

    devices: ClassVar[tuple[str, ...]] = ("cpu",)

    def __init__(self, instance: Instance, options: Mapping[str, Any], device: str = "cpu", common: Any = None) -> None:
        self.instance, self.options, self.device = instance, options, device
        self.common = self.share() if common is None else common
        self.prepare()

    @classmethod
    def takes(cls, spec: Any, at: Mapping[str, float]) -> bool:
        """Whether it runs on systems of this spec; all others are left to the function `solve` of its module, where there is one."""
        return True

    def share(self) -> Any:
        """What all instances of one spec at one point have in common and is costly; kept as `self.common`."""
        return None

    def prepare(self) -> None:
        """What does not move: reads the spec, keeps what all steps need.

        Raises:
            Unsupported: one line, naming the part of the spec that this algorithm cannot take.
        """

    def init(self, rng: np.random.Generator, attempt: int) -> State:
        """The state before the first step; `attempt` counts restarts from 0, with another `rng` each."""
        raise NotImplementedError

    def step(self, state: State, rng: np.random.Generator) -> None:
        """One iteration (sweep, epoch), in place.  Randomness comes from `rng` alone."""
        raise NotImplementedError

    def stop(self, state: State) -> Status | None:
        """How the run ended, or None where it goes on; asked before every step and after the last."""
        raise NotImplementedError

    def observe(self, state: State) -> dict[str, float]:
        """Named observables for the history; cheap, as it is called at many steps."""
        return {}

    def outcome(self, state: State) -> Outcome:
        """Estimates by learner, and observables of the whole system, of a run that did not fail."""
        raise NotImplementedError

    @property
    def follows(self) -> bool:
        """Whether theory says what each step does, so that observables on the way are measurements (NAME@STEP)."""
        return False

    @property
    def limit(self) -> int | None:
        """Most steps of an attempt."""
        return int(self.options["steps"]) if "steps" in self.options else None

    @property
    def only_learner(self) -> str:
        """Name of the one learner of the spec."""
        (name,) = self.instance.spec.learners
        return str(name)
