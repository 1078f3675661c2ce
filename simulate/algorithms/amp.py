"""Message passing on the ansatz of the spec: GAMP on symmetric replicas, GASP on one step of replica symmetry breaking."""

from __future__ import annotations

from typing import Any

import numpy as np

from replica.ansatz import RSB
from simulate.algorithms.gamp import GAMP
from simulate.algorithms.gasp import GASP
from simulate.algorithms.parts.passing import Passing
from simulate.iteration import Algorithm, State, Status
from simulate.learn.estimate import Outcome


class AMP(Algorithm):
    """The one of the two that the ansatz asks for."""

    devices = GAMP.devices

    def share(self) -> Any:
        return self._made().common

    def prepare(self) -> None:
        self.inner = self._made(self.common)

    def _made(self, common: Any = None) -> Passing:
        ansatz = self.instance.spec.ansatz
        kind = GASP if isinstance(ansatz, RSB) and ansatz.k == 1 else GAMP
        return kind(self.instance, self.options, self.device, common)

    @property
    def follows(self) -> bool:
        return self.inner.follows

    @property
    def limit(self) -> int | None:
        return self.inner.limit

    def init(self, rng: np.random.Generator, attempt: int) -> State:
        return self.inner.init(rng, attempt)

    def step(self, state: State, rng: np.random.Generator) -> None:
        self.inner.step(state, rng)

    def stop(self, state: State) -> Status | None:
        return self.inner.stop(state)

    def observe(self, state: State) -> dict[str, float]:
        return self.inner.observe(state)

    def outcome(self, state: State) -> Outcome:
        return self.inner.outcome(state)
