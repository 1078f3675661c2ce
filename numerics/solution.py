"""One solution of a theory at one point, with what is needed to judge it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from numerics.status import Status

Number = float | str


@dataclass(frozen=True)
class Solution:
    """A fixed point of the theory's equations.

    Args:
        at: value of every control; exact decimals as given, so that `certify` can start from them.
        unknowns: the solver's unknowns by name.
        order_parameters, conjugates, observables: named results; floats, or decimal strings after `certify`.
        free_entropy: per dimension, in natural logarithms.
        residual: largest |x - G(x)| relative to x, at the solution.
        quadrature_error: bound of the error of the unknowns, in their own units and relative: the Newton step on
            doubled nodes plus the rounding error carried by the inverse Jacobian.
        stable: see numerics.stability; None where it could not be decided.
        spectral_radius: of the Jacobian of the map; near one the point is marginal.
        start: which start led here.
        steps: Newton steps taken, nodes: of all loops, digits: to which the numbers are given.
        agreement: decimal digits shared with the double-precision solution, after `certify`.
        reached: controls of the last good point, where a branch was lost before `at`; unknowns and results are then those of it.
        note: what more there is to say than the status does.
        trajectory: of a recursion: "time" (steps) and every result without averages after each step.
    """

    at: Mapping[str, float]
    status: Status
    order_parameters: Mapping[str, Number] = field(default_factory=dict)
    conjugates: Mapping[str, Number] = field(default_factory=dict)
    free_entropy: Number = float("nan")
    observables: Mapping[str, Number] = field(default_factory=dict)
    unknowns: Mapping[str, Number] = field(default_factory=dict)
    residual: float = float("nan")
    quadrature_error: float = float("nan")
    stable: bool | None = None
    spectral_radius: float = float("nan")
    start: str = ""
    steps: int = 0
    nodes: int = 0
    digits: int = 15
    agreement: int | None = None
    reached: Mapping[str, float] = field(default_factory=dict)
    note: str = ""
    trajectory: Mapping[str, Sequence[float]] = field(default_factory=dict, repr=False)

    @property
    def converged(self) -> bool:
        return self.status.ok

    @property
    def sentence(self) -> str:
        """The status, and what more there is to say."""
        return f"{self.status}: {self.note}" if self.note else str(self.status)

    def __getitem__(self, name: str) -> Number:
        """An order parameter, conjugate, observable or the free entropy by name."""
        for table in (self.order_parameters, self.conjugates, self.observables, {"free_entropy": self.free_entropy}):
            if name in table:
                return table[name]
        known = ", ".join((*self.order_parameters, *self.conjugates, *self.observables, "free_entropy"))
        raise KeyError(f"{name!r} is not a result of this theory; known: {known}")

    def to_json(self) -> dict[str, object]:
        """The object printed for a solution by the command line."""
        found: dict[str, object] = {
            "status": self.sentence, "stable": self.stable, "free_entropy": self.free_entropy,
            "order_parameters": dict(self.order_parameters), "conjugates": dict(self.conjugates),
            "observables": dict(self.observables), "residual": self.residual, "quadrature_error": self.quadrature_error,
        }
        return found | ({"trajectory": {name: list(values) for name, values in self.trajectory.items()}} if self.trajectory else {})

    def __repr__(self) -> str:
        point = ", ".join(f"{k} = {v:g}" for k, v in self.at.items())
        if not self.converged:
            return f"Solution({point}: {self.sentence})"
        shown = {**self.order_parameters, **self.observables, "free_entropy": self.free_entropy}
        numbers = ", ".join(f"{k} = {v if isinstance(v, str) else format(v, '.12g')}" for k, v in shown.items())
        stable = {True: ", stable", False: ", unstable", None: ""}[self.stable]
        return f"Solution({point}: {numbers}; {self.status}{stable}, residual {self.residual:.1g}, error {self.quadrature_error:.1g})"
