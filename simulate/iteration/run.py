"""Runs an algorithm on an instance to its end: step by step, with history, restarts, and a file to resume from."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from simulate.iteration.algorithm import Algorithm, State
from simulate.iteration.checkpoint import Checkpoint
from simulate.iteration.record import Record
from simulate.iteration.status import Status
from simulate.learn.estimate import Outcome

EVERY_SECONDS = 30.0
_EACH, _GROWTH = 100, 1.05  # history: every step up to the first, then steps that grow by the second


class _Run:
    """One run under way."""

    def __init__(self, algorithm: Algorithm, generators: Callable[[int], np.random.Generator], checkpoint: Checkpoint | None) -> None:
        self.algorithm, self.generators, self.checkpoint = algorithm, generators, checkpoint
        self.seconds, self.since, self.earlier = 0.0, time.monotonic(), 0
        self.status: Status | None = None
        if not self._resume():
            self._begin(0)

    def _begin(self, attempt: int) -> None:
        self.attempt, self.taken, self.next_kept = attempt, 0, 0
        self.rng = self.generators(attempt)
        self.state: State = self.algorithm.init(self.rng, attempt)
        self.history: dict[str, list[float]] = {"step": []}

    def go(self) -> Status:
        """On to the end; every attempt that fails is followed by the next, as many as there may be."""
        restarts = int(self.algorithm.options.get("restarts", 0))
        while self.status is None:
            ended = self._attempt()
            if ended.ok or self.attempt >= restarts:
                self.status = ended
            else:
                self.earlier += self.taken
                self._begin(self.attempt + 1)
        self.save()
        return self.status

    def _attempt(self) -> Status:
        limit, saved = self.algorithm.limit, time.monotonic()
        while True:
            ended = self.algorithm.stop(self.state)
            if ended is None and limit is not None and self.taken >= limit:
                ended = Status.LIMIT
            if ended is not None or self.taken >= self.next_kept:
                self._keep()
            if ended is not None:
                return ended
            self.algorithm.step(self.state, self.rng)  # an interrupt falls into a step: what was saved before stays valid
            self.taken += 1
            if self.checkpoint is not None and time.monotonic() - saved > EVERY_SECONDS:
                self.save()
                saved = time.monotonic()

    def _keep(self) -> None:
        if self.history["step"] and self.history["step"][-1] == self.taken:
            return
        for name, value in {"step": self.taken, **self.algorithm.observe(self.state)}.items():
            self.history.setdefault(name, []).append(float(value))
        self.next_kept = self.taken + 1 if self.taken < _EACH else int(self.taken * _GROWTH) + 1

    @property
    def spent(self) -> float:
        return self.seconds + time.monotonic() - self.since

    def save(self) -> None:
        """Write the run down."""
        if self.checkpoint is None:
            return
        notes: dict[str, Any] = {
            "attempt": self.attempt, "taken": self.taken, "earlier": self.earlier, "next_kept": self.next_kept, "seconds": self.spent,
            "history": self.history, "random": self.rng.bit_generator.state,
            "status": None if self.status is None else self.status.name,
            "plain": {name: _plain(value) for name, value in self.state.items() if not isinstance(value, np.ndarray)},
        }
        self.checkpoint.save(notes, {name: value for name, value in self.state.items() if isinstance(value, np.ndarray)})

    def _resume(self) -> bool:
        found = None if self.checkpoint is None else self.checkpoint.load()
        if found is None:
            return False
        notes, arrays = found
        self.attempt, self.taken, self.earlier = (notes[k] for k in ("attempt", "taken", "earlier"))
        self.next_kept, self.seconds = notes["next_kept"], notes["seconds"]
        self.rng = self.generators(self.attempt)
        self.rng.bit_generator.state = notes["random"]
        self.history, self.state = notes["history"], {**notes["plain"], **arrays}
        self.status = None if notes["status"] is None else Status[notes["status"]]
        return True


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def run(
    algorithm: Algorithm, generators: Callable[[int], np.random.Generator], checkpoint: Checkpoint | None = None
) -> tuple[Outcome, Record]:
    """The outcome and the record of one run; an outcome that failed says so and has no estimates.

    Args:
        generators: attempt -> its random numbers.
        checkpoint: where the run is kept and taken up again.
    """
    under_way = _Run(algorithm, generators, checkpoint)
    status = under_way.go()
    history = {name: np.array(values) for name, values in under_way.history.items()}
    record = Record(status, under_way.taken, under_way.attempt + 1, under_way.spent, history, under_way.earlier + under_way.taken)
    if not status.ok:
        return Outcome({}, failure=f"{status} (after {record.steps} steps, {record.attempts} attempts)"), record
    return algorithm.outcome(under_way.state), record
