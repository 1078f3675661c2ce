"""Gradient steps on weights that are held to a length and inside a range, with part of the last move repeated."""

from __future__ import annotations

import numpy as np

from simulate.algorithms.parts.matrix import Matrix
from simulate.instance import Unsupported
from simulate.iteration import Algorithm, State
from simulate.learn.held import held


class Ascent(Algorithm):
    """A subclass says what the energy is, where weights may lie, and how large a step is."""

    devices = ("cpu", "cuda")
    low, high = -np.inf, np.inf

    def prepare(self) -> None:
        if "x" not in self.instance.arrays:
            raise Unsupported("gradient steps need samples; couplings between weights can be annealed or enumerated")
        self.matrix, self.y = Matrix(self.instance.arrays["x"], self.device), self.instance.arrays["y"]

    def slope(self, w: np.ndarray, norm: float | None) -> tuple[float, np.ndarray]:
        """The energy at weights (d,), and its gradient (d,)."""
        raise NotImplementedError

    def allowed(self, w: np.ndarray, norm: float | None) -> np.ndarray:
        """Weights of this length, where one is imposed, inside the range."""
        return np.clip(w, self.low, self.high) if norm is None else held(w, norm, self.low, self.high)

    def begun(self, rng: np.random.Generator, norm: float | None) -> State:
        """The state around random weights."""
        w = self.allowed(rng.standard_normal(self.instance.size), norm)
        return {"w": w, "before": w.copy(), "taken": 0, "residual": np.inf}

    def move(self, state: State, norm: float | None, size: float) -> None:
        """One step of `size` along minus the gradient; `residual` is the root mean square of the whole move over `size`."""
        w = state["w"]
        ahead = w + self.options["momentum"] * (w - state["before"])
        moved = self.allowed(ahead - size * self.slope(ahead, norm)[1], norm)
        state["residual"] = float(np.sqrt(np.mean((moved - w) ** 2))) / size
        state["before"], state["w"] = w, moved
        state["taken"] += 1
