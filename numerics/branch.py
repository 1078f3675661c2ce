"""What continuation finds: branches, the points on them where something happens, and lines of such points in two controls."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from numerics.curve import Node
from numerics.solution import Solution
from numerics.status import Status
from replica.theory import Theory

KINDS = ("fold", "transition", "replicon", "entropy_zero", "local_entropy_zero", "complexity_zero")


@dataclass(frozen=True)
class Branch:
    """Solutions along a curve.

    Args:
        points: in the order of the curve; the control followed is monotone between folds, which are points themselves.
        nodes: the same points as variables and tangents; none where the solutions are at the end of a domain.
        ends: why the branch is not longer, a sentence for either end.
        lost: whether either end is a failure.
    """

    name: str
    points: tuple[Solution, ...]
    nodes: tuple[Node, ...]
    ends: tuple[str, str]
    lost: bool = False

    @property
    def at_end(self) -> bool:
        """Whether its solutions lie at the end of a domain."""
        return not self.nodes

    @property
    def kind(self) -> str:
        """Its stability in words, or that it lies at the end of a domain."""
        stable = [one.stable for one in self.points]
        return "at the end of the domain" if self.at_end else "stable" if all(stable) else "stable in part" if any(stable) else "unstable"

    def __repr__(self) -> str:
        return f"Branch({self.name}: {len(self.points)} points, {self.kind}; from: {self.ends[0]}; to: {self.ends[1]})"


@dataclass(frozen=True)
class Special:
    """A located event.

    Args:
        kind: one of KINDS.
        at: value of every control; error: of the control followed.
        branches: names of those that take part.
        solutions: the solution, or the two that coexist.
    """

    kind: str
    at: Mapping[str, float]
    error: float
    branches: tuple[str, ...]
    solutions: tuple[Solution, ...]

    def __repr__(self) -> str:
        place = ", ".join(f"{name} = {value:.15g}" for name, value in self.at.items())
        return f"Special({self.kind} of {' '.join(self.branches)} at {place}, error {self.error:.1g})"

    def to_json(self) -> dict[str, object]:
        """INTERFACE's object, with the branches and what the solutions are there."""
        return {
            "kind": self.kind, "at": dict(self.at), "error": self.error, "branches": list(self.branches),
            "solutions": [one.to_json() for one in self.solutions],
        }


@dataclass(frozen=True)
class Line:
    """An event followed in a second control: a line of a phase diagram.

    Args:
        points: value of every control, in the order of the line; errors: of the control that the event was found in.
        ends: why it is not longer.
    """

    kind: str
    branches: tuple[str, ...]
    points: tuple[Mapping[str, float], ...]
    errors: tuple[float, ...]
    ends: tuple[str, str]

    def __repr__(self) -> str:
        return f"Line({self.kind}: {len(self.points)} points; from: {self.ends[0]}; to: {self.ends[1]})"

    def to_json(self) -> dict[str, object]:
        """As a column per control."""
        columns = {name: [point[name] for point in self.points] for name in self.points[0]}
        return {"kind": self.kind, "branches": list(self.branches), "at": columns, "errors": list(self.errors), "ends": list(self.ends)}


@dataclass(frozen=True)
class Branches:
    """Every branch found over a range of one control.

    Args:
        along: the control; ends: its range.
        at: value of every other control.
        grid: solutions at equally spaced values, those of all branches together, the largest free entropy first.
        owners: name of the branch of each solution in `grid`.
        notes: sentences about what was met and not followed.
    """

    theory: Theory
    along: str
    ends: tuple[float, float]
    at: Mapping[str, float]
    tolerance: float
    branches: tuple[Branch, ...]
    special: tuple[Special, ...]
    grid: tuple[tuple[Solution, ...], ...] = ()
    owners: tuple[tuple[str, ...], ...] = ()
    notes: tuple[str, ...] = ()
    lines: tuple[Line, ...] = ()

    def __repr__(self) -> str:
        fixed = "".join(f", {name} = {value:g}" for name, value in self.at.items())
        head = f"Branches({self.theory.name}: {self.along} = {self.ends[0]:g} to {self.ends[1]:g}{fixed})"
        return "\n  ".join([head, *map(repr, (*self.branches, *self.special, *self.lines)), *self.notes])

    def __getitem__(self, name: str) -> Branch:
        return next(branch for branch in self.branches if branch.name == name)

    def events(self, kind: str) -> tuple[Special, ...]:
        """The special points of one kind, in the order of the control."""
        return tuple(one for one in self.special if one.kind == kind)

    def to_xarray(self) -> xr.Dataset:
        """Dataset with dimensions (branch, step), (event) and (line, vertex).

        Variables over (branch, step): the control, every order parameter, conjugate and observable, `free_entropy`, `residual`,
        `quadrature_error`, `stable` (1, 0, -1 for unknown), `status`; shorter branches are filled with NaN.  Over (event, side):
        `event_NAME` for the same numbers; over (event): `event_kind`, `event_error`, `event_branches`, `event_CONTROL`.
        """
        theory = self.theory
        groups = {"order_parameters": theory.order_parameters, "conjugates": theory.conjugates, "observables": theory.observables}
        results = [*(name for group in groups.values() for name in group), "free_entropy"]
        own = ["residual", "quadrature_error"]
        longest = max((len(b.points) for b in self.branches), default=0)
        shape = (len(self.branches), longest)
        data = {name: np.full(shape, math.nan) for name in [self.along, *results, *own]}
        stable, status = np.full(shape, -1, np.int8), np.full(shape, "", dtype="<U16")
        for row, branch in enumerate(self.branches):
            for k, one in enumerate(branch.points):
                data[self.along][row, k], status[row, k] = one.at[self.along], one.status.name.lower()
                stable[row, k] = -1 if one.stable is None else int(one.stable)
                for name in results:
                    data[name][row, k] = float(one[name])
                for name in own:
                    data[name][row, k] = float(getattr(one, name))
        found = xr.Dataset(
            {name: (("branch", "step"), values) for name, values in data.items()}
            | {"stable": (("branch", "step"), stable), "status": (("branch", "step"), status)},
            coords={"branch": np.array([b.name for b in self.branches], dtype=str)},
        )
        for group, members in groups.items():
            for name in members:
                found[name].attrs["kind"] = group
        if self.special:
            found = found.assign(self._events(results))
        if self.lines:
            found = found.assign(self._lines())
        found.attrs = {
            "theory": theory.name, "fingerprint": theory.fingerprint, "tolerance": self.tolerance, "content": "branches",
            "along": self.along, "statuses": "; ".join(f"{s.name.lower()}: {s}" for s in Status), "notes": "\n".join(self.notes),
            "branch_ends": json.dumps([list(b.ends) for b in self.branches]),
            **{f"at_{name}": value for name, value in self.at.items() if name != self.along},
        }
        return found

    def _events(self, results: Sequence[str]) -> dict[str, tuple[object, np.ndarray]]:
        sides = np.full((len(self.special), 2), math.nan)
        table: dict[str, tuple[object, np.ndarray]] = {
            "event_kind": ("event", np.array([s.kind for s in self.special], dtype=str)),
            "event_error": ("event", np.array([s.error for s in self.special])),
            "event_branches": ("event", np.array([" ".join(s.branches) for s in self.special], dtype=str)),
            f"event_{self.along}": ("event", np.array([s.at[self.along] for s in self.special])),
        }
        for name in results:
            values = sides.copy()
            for row, one in enumerate(self.special):
                for side, solution in enumerate(one.solutions):
                    values[row, side] = float(solution[name])
            table[f"event_{name}"] = (("event", "side"), values)
        return table

    def _lines(self) -> dict[str, tuple[object, np.ndarray]]:
        longest = max(len(line.points) for line in self.lines)
        table: dict[str, tuple[object, np.ndarray]] = {
            "line_kind": ("line", np.array([line.kind for line in self.lines], dtype=str)),
            "line_ends": ("line", np.array(["; ".join(line.ends) for line in self.lines], dtype=str)),
        }
        moving = [name for name in self.lines[0].points[0] if any(len({p[name] for p in line.points}) > 1 for line in self.lines)]
        columns = {f"line_{name}": [[p[name] for p in line.points] for line in self.lines] for name in moving}
        for name, rows in (columns | {"line_error": [list(line.errors) for line in self.lines]}).items():
            values = np.full((len(self.lines), longest), math.nan)
            for row, line in enumerate(rows):
                values[row, : len(line)] = line
            table[name] = (("line", "vertex"), values)
        return table
