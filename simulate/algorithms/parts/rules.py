"""The scalar functions of a learner at a point, as message passing needs them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np
from scipy.optimize import brentq

from replica.families.broken import Broken
from replica.labels import CountLabels, DiscreteLabels, Labels
from replica.nodes import ProxSlope
from replica.symbols import POSITIVE, REAL, Control, Domain
from replica.theory import Scores
from simulate.algorithms.parts.functions import Functions

_NEWTON = 30  # steps towards a multiplier, before bisection


def label_domain(labels: Labels) -> Domain:
    """What labels may be, as a domain."""
    if isinstance(labels, DiscreteLabels):
        atoms = tuple(sorted(float(a) for a in labels.atoms))
        return Domain(atoms[0], atoms[-1], True, True, members=atoms)
    if isinstance(labels, CountLabels):
        return Domain(0.0, closed_lower=True, integers=True)
    return Domain(float(labels.lower), float(labels.upper), True, True)


class Rules:
    """Of symmetric replicas.

    Args:
        scores: their expressions; controls: of the theory; labels: the domain of labels.
        values: value of every control.
        pinned: |w|^2/d where the prior imposes it; its multiplier is then found at each step.
        jumps: whether scores jump, as those of losses that are not convex do: their slope is then taken between fields that lie a small
            part of a deviation apart, so that samples near a jump show it.
    """

    def __init__(
        self, scores: Scores, controls: tuple[Control, ...], labels: Domain, values: Mapping[str, float], pinned: float | None, jumps: bool
    ) -> None:
        s = scores
        self._values, self._pinned, self._jumps, self._scores = dict(values), pinned, jumps, scores
        output = {"output": s.output} if jumps else {"output": s.output, "slope": s.output_slope}
        y = Control(s.y, labels.members[0] if labels.members else 1.0, labels)
        self._fields = (*controls, y, Control(s.omega, 0.3, REAL), Control(s.V, 1.0, POSITIVE))
        self._beliefs = (*controls, Control(s.A, 1.0, POSITIVE), Control(s.B, 0.3, REAL))
        self._output = Functions(output, self._fields)
        self._weights = Functions({"mean": s.denoiser, "variance": s.denoiser_slope}, self._beliefs)

    def output(self, y: np.ndarray, omega: np.ndarray, V: float) -> tuple[np.ndarray, np.ndarray]:
        """(score, slope in omega) of fields with cavity mean omega (n,) and variance V."""
        at = {**self._values, "y": y, "omega": omega, "V": V}
        if not self._jumps:
            found = self._output(at)
            return found["output"], found["slope"]
        step = float(np.std(omega)) * len(omega) ** -0.25
        low, score, high = (self._output({**at, "omega": omega + k * step})["output"] for k in (-1, 0, 1))
        return score, (high - low) / (2 * step)

    def weight(self, A: float, B: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(mean, variance) of weights with prior exp(-A w^2/2 + B w), B of shape (d,)."""
        return self._held(A, B)[1:]

    def log_odds(self, y: np.ndarray, omega: np.ndarray, V: float) -> np.ndarray:
        """(n,) what `output` is the slope of: log of the mean over the field of what a learner makes of the labels y."""
        return self._logs[0]({**self._values, "y": y, "omega": omega, "V": V})["log"]

    def log_weight(self, A: float, B: np.ndarray) -> float:
        """What `weight` is the slope of, in all and without what it is at A = B = 0."""

        def total(A: float, B: np.ndarray) -> float:
            multiplier = self._held(A, B)[0]
            logs = self._logs[1]({**self._values, "A": A + multiplier, "B": B})["log"]
            return float(np.sum(logs)) + multiplier * (self._pinned or 0.0) * len(B) / 2

        return total(A, B) - total(0.0, np.zeros_like(B))

    @cached_property
    def _logs(self) -> tuple[Functions, Functions]:
        s = self._scores
        return Functions({"log": s.output_log}, self._fields), Functions({"log": s.denoiser_log}, self._beliefs)

    def _held(self, A: float, B: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """(multiplier of |w|^2/2 where the prior imposes it, mean and variance of weights)."""
        mean, variance = self._denoise(A, B)
        if self._pinned is None:
            return 0.0, mean, variance
        pinned, shift = self._pinned, 0.0
        low = -A - 1 / pinned + 1e-9  # where the Gaussian stops being normalisable

        def excess(shift: float) -> float:
            mean, variance = self._denoise(A + shift, B)
            return float(np.mean(mean**2) + np.mean(variance) - pinned)

        for _ in range(_NEWTON):
            gap = float(np.mean(mean**2 + variance)) - pinned
            if abs(gap) <= 1e-12 * pinned:
                return shift, mean, variance
            following = shift + gap / float(np.mean((2 * mean**2 + variance) * variance))  # the slope, were weights Gaussian
            shift = max(following, (shift + low) / 2)
            mean, variance = self._denoise(A + shift, B)
        high = 1.0
        while excess(high) > 0:
            high *= 4
        shift = float(brentq(excess, low, high, xtol=1e-12))
        return shift, *self._denoise(A + shift, B)

    def _denoise(self, A: float, B: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found = self._weights({**self._values, "A": A, "B": B})
        return found["mean"], found["variance"]


class BrokenRules:
    """Of replicas behind one step of symmetry breaking; arguments as those of Rules, `x` the Parisi parameter."""

    def __init__(self, broken: Broken, controls: tuple[Control, ...], labels: Domain, values: Mapping[str, float], x: float) -> None:
        b = broken
        self._values = {**values, b.x.name: x}
        parisi = Control(b.x, 1.0, POSITIVE)
        y = Control(b.y, labels.members[0] if labels.members else 1.0, labels)
        fields = (Control(b.omega, 0.3, REAL), Control(b.V, 1.0, POSITIVE), Control(b.spread, 1.0, POSITIVE))
        outputs = {"output": b.output, "variance": b.output_variance, "slope": b.output_slope}
        self._output = Functions(outputs, (*controls, y, parisi, *fields))
        fields = (Control(b.B, 0.3, REAL), Control(b.A, 2.0, POSITIVE), Control(b.spread_hat, 0.5, POSITIVE))
        weights = {"mean": b.denoiser, "variance": b.denoiser_variance, "slope": b.denoiser_slope}
        self._weights = Functions(weights, (*controls, parisi, *fields))
        self._names = (b.V.name, b.spread.name, b.A.name, b.spread_hat.name)

    def output(self, y: np.ndarray, omega: np.ndarray, V: float, spread: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(score, its variance over states, slope in omega) of fields (n,)."""
        found = self._output({**self._values, "y": y, "omega": omega, self._names[0]: V, self._names[1]: spread})
        return found["output"], found["variance"], found["slope"]

    def weight(self, A: float, spread: float, B: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(mean, its variance over states, slope in B) of weights (d,)."""
        found = self._weights({**self._values, "B": B, self._names[2]: A, self._names[3]: spread})
        return found["mean"], found["variance"], found["slope"]


def jumps(scores: Scores, convex: bool) -> bool:
    """Whether a score may jump: it is a proximal point of a loss that is not convex."""
    return not convex and scores.output_slope.has(ProxSlope)
