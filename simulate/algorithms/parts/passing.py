"""What message-passing algorithms share: which specs they take, where they start, when they stop, what they report.

Variances are kept per instance, as for inputs with independent entries of one variance.  The stop is on the undamped map.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import sympy as sp

from replica.convexity import is_convex
from replica.labels import Labels
from replica.protocols import AMP
from simulate.algorithms.parts.matrix import Matrix
from simulate.draw import bound, number
from simulate.draw.cells import label_law
from simulate.instance import Instance, Unsupported
from simulate.iteration import Algorithm, State, Status
from simulate.measure import blind_to_sign

HUGE = 1e8
"""Times the length of the signal (or 1), beyond which an estimate is taken to diverge."""
PATIENCE, PROGRESS, SLOWER = 40, 0.9, 0.65
"""A run whose residual has not fallen by the second within the first goes on with the third of its steps, as has every restart."""
HELD = 20
"""Steps in a row whose numbers are no variances, after which a run has failed."""


class Passing(Algorithm):
    """Iterations between estimates of weights and scores of samples."""

    devices = ("cpu", "cuda")

    def __init__(self, instance: Instance, options: Mapping[str, Any], device: str = "cpu", common: Any = None) -> None:
        spec = instance.spec
        if "x" not in instance.arrays:
            raise Unsupported("message passing needs samples; couplings between weights can be annealed or enumerated")
        if len(spec.learners) != 1 or len(spec.stages) > 1:
            raise Unsupported(f"message passing knows one learner in one stage, found {len(spec.learners)} in {len(spec.stages)}")
        self.learner = next(iter(spec.learners.values()))
        if self.learner.self_overlap is not None:
            raise Unsupported("message passing does not impose self_overlap; take monte_carlo")
        network = self.learner.network
        if network is not None and (network.kind != "linear" or getattr(network, "bias", False)):
            raise Unsupported(f"message passing knows linear networks without bias, found '{network.kind}'")
        self.protocol = self.learner.protocol if isinstance(self.learner.protocol, AMP) else None
        if self.protocol is not None and number(self.protocol.damping, instance.at) != 0:
            raise Unsupported("protocol 'amp': state evolution says what undamped steps do; write damping = 0 to run them")
        super().__init__(instance, options, device, common)

    def prepare(self) -> None:
        self.see(self.instance.arrays["x"], self.instance.arrays["y"])
        self.truth = next(iter(self.instance.truth.values())) if len(self.instance.truth) == 1 else None
        if self.protocol is not None and self.truth is None:
            raise Unsupported(f"protocol 'amp': {len(self.instance.truth)} signals to start near, expected one")
        self.unsigned = self.protocol is None and self.truth is not None and blind_to_sign(self.instance)
        self.length = float(np.mean(self.truth**2)) if self.truth is not None else 1.0

    def see(self, x: np.ndarray, y: np.ndarray) -> None:
        """Take these samples, (n, d) and (n,)."""
        self.y, self.matrix = y, Matrix(x, self.device)

    @property
    def limit(self) -> int | None:
        return None if self.protocol is not None else super().limit

    @property
    def follows(self) -> bool:
        return self.protocol is not None

    @property
    def start(self) -> float:
        """Overlap with the signal at the start of protocol 'amp', per its length."""
        return number(self.protocol.start, self.instance.at) if self.protocol is not None else 0.0

    def labels(self) -> Labels:
        """What labels may be.

        Raises:
            Unsupported: groups with labels of different kinds.
        """
        groups = [group for part in self.instance.spec.slices.values() for group in part.groups.values()]
        found = [label_law(group.label, self.instance.at) for group in groups]
        if any(one != found[0] for one in found):
            raise Unsupported("message passing: groups with labels of different kinds")
        return found[0]

    def convex(self) -> bool:
        """Whether the learner's loss is convex at the labels that occur."""
        y, z = sp.symbols("y z", real=True)
        loss = sp.sympify(bound(self.learner.loss, self.instance.at).formula(y, z))
        labels = np.quantile(self.instance.arrays["y"], [0, 0.25, 0.5, 0.75, 1])
        return all(is_convex(loss, z, {y: float(label)}) for label in labels)

    def damping(self, attempt: int) -> float:
        """Part of the old messages that stays; every restart keeps more."""
        return 0.0 if self.protocol is not None else 1 - (1 - float(self.options["damping"])) * SLOWER**attempt

    def near_signal(self, rng: np.random.Generator) -> np.ndarray | None:
        """The start of protocol 'amp': of the signal's length, or a posterior mean of a Bayes-optimal learner, at the given overlap."""
        if self.protocol is None or self.truth is None:
            return None
        start, bayes = self.start, self.learner.loss is None
        noise = start - start**2 if bayes else 1 - start**2
        return start * self.truth + np.sqrt(noise * self.length) * rng.standard_normal(self.matrix.d)

    def begun(self, mean: np.ndarray, attempt: int, **more: Any) -> State:
        """The state around a first estimate."""
        n = self.matrix.n
        return {"mean": mean, "score": np.zeros(n), "cavity": np.zeros(n), "residual": np.inf, "damping": self.damping(attempt),
                "taken": 0, "sound": True, "least": np.inf, "since": 0, "held": 0, **more}

    def settle(self, state: State, mean: np.ndarray, numbers: Mapping[str, float]) -> None:
        """Takes the images of one step, with damping.  A number that is not finite keeps its value; a run that gets nowhere takes smaller
        steps, one that state evolution follows never does.
        """
        keep, old = state["damping"], state["mean"]
        norm = float(np.linalg.norm(mean))
        sound = bool(np.isfinite(list(numbers.values())).all())
        state["taken"] += 1
        state["held"] = 0 if sound else state["held"] + 1
        if not np.isfinite(norm) or norm**2 > HUGE * self.length * self.matrix.d or state["held"] > (0 if self.follows else HELD):
            state["sound"] = False
            return
        state["residual"] = float(np.linalg.norm(mean - old)) / (norm + 1e-300) if sound else np.inf
        state["mean"] = (1 - keep) * mean + keep * old
        for name, value in numbers.items():
            if np.isfinite(value):
                state[name] = (1 - keep) * value + keep * state[name]
        if not self.follows:
            self._slow_down(state)

    @staticmethod
    def _slow_down(state: State) -> None:
        state["since"] += 1
        if state["residual"] < PROGRESS * state["least"]:
            state["least"], state["since"] = state["residual"], 0
        elif state["since"] >= PATIENCE:
            state["damping"], state["least"], state["since"] = 1 - SLOWER * (1 - state["damping"]), state["residual"], 0

    def stop(self, state: State) -> Status | None:
        if not state["sound"]:
            return Status.DIVERGED
        if state.get("certain"):
            return Status.CONVERGED
        if self.protocol is not None:
            return Status.FINISHED if state["taken"] >= int(number(self.protocol.steps, self.instance.at)) else None
        return Status.CONVERGED if state["residual"] < float(self.options["tolerance"]) else None

    def overlaps(self, mean: np.ndarray) -> dict[str, float]:
        """Length of an estimate, and where there is one signal, how near it is."""
        q = float(np.mean(mean**2))
        if self.truth is None:
            return {"q": q}
        m = float(np.mean(mean * self.truth))
        m = abs(m) if self.unsigned else m
        cosine = m / np.sqrt(q * self.length) if q > 0 else 0.0
        return {"q": q, "m": m, "overlap": cosine, "estimation_mse": self.length - 2 * m + q}
