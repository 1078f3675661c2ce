"""`replica follow`: every branch over a range of a control, with its folds, transitions and zeros; lines of them in a second control."""

from __future__ import annotations

import dataclasses
from argparse import Namespace
from collections.abc import Mapping

from numerics.branch import Branches, Line, Special
from numerics.compile import Module, compile_theory
from numerics.continuation import follow
from numerics.equations import Failure
from numerics.lines import follow_event
from numerics.store import save
from replica.derive import derive
from replica.spec import Spec, load
from replica.theory import Flow
from simulate.cli.grid import described
from simulate.cli.request import RequestError, span, values
from simulate.cli.screen import print_json, print_warnings, progress

DIGITS = 15


def run(options: Namespace) -> int:
    """Follow, print and save.  Exit code 1 where there is no solution, or a branch was lost."""
    spec = load(options.spec)
    fixed = values(spec, options.set)
    name, low, high = span(spec, options.along, "--along", fixed)
    second = span(spec, options.second, "--and", {name: low}) if options.second else None
    if second is not None:
        fixed = {**fixed, second[0]: _inside(spec, second, fixed)}
    theory = derive(spec)
    if isinstance(theory.system, Flow):
        raise RequestError("a flow has trajectories, not branches: replica solve, with --sweep for controls")
    module = compile_theory(theory)
    print_warnings(spec)
    with progress(f"following {spec.name}") as told:
        found = follow(module, {name: (low, high)}, fixed, progress=told)
    if second is not None:
        found = with_lines(module, found, second)
    if options.output:
        save(described(spec, found.to_xarray()), options.output)
    if options.json:
        print_json(as_json(spec, found))
    else:
        print_branches(spec, found)
    return 0 if found.branches and not any(branch.lost for branch in found.branches) else 1


def _inside(spec: Spec, second: tuple[str, float, float], fixed: Mapping[str, float]) -> float:
    """Value of the second control at which events are sought: as set, or its own where that is in the range, or the lower end.

    Raises:
        RequestError: it is set outside the range.
    """
    name, low, high = second
    if name in fixed:
        if not low <= fixed[name] <= high:
            raise RequestError(f"--and {name}={low:g}:{high:g}: --set {name}={fixed[name]:g}, where events are sought, is not in it")
        return fixed[name]
    own = spec.at()[name]
    return own if low <= own <= high else low


def with_lines(module: Module, found: Branches, second: tuple[str, float, float]) -> Branches:
    """The branches with every event followed in a second control; an event that cannot be followed becomes a note."""
    lines: list[Line] = []
    notes = list(found.notes)
    with progress("following events") as told:
        for number, event in enumerate(found.special):
            try:
                lines.append(follow_event(module, event, {found.along: found.ends, second[0]: second[1:]}))
            except Failure as failure:
                notes.append(f"the {event.kind} at {found.along} = {event.at[found.along]:.9g} cannot be followed: {failure}")
            told(number + 1, len(found.special))
    return dataclasses.replace(found, lines=tuple(lines), notes=tuple(notes))


def as_json(spec: Spec, found: Branches) -> dict[str, object]:
    """INTERFACE's object: points as `solve` has them, each solution with its branch, and `special`; with branches, notes and lines."""
    points = [
        {"at": dict(row[0].at), "solutions": [one.to_json() | {"branch": owner} for one, owner in zip(row, owners, strict=True)]}
        for row, owners in zip(found.grid, found.owners, strict=True) if row
    ]
    branches = [
        {"name": b.name, "points": len(b.points), "ends": list(b.ends), "lost": b.lost, "at_end_of_domain": b.at_end}
        for b in found.branches
    ]
    body = {"name": spec.name, "fingerprint": spec.fingerprint, "along": found.along, "points": points}
    extra = {"branches": branches, "notes": list(found.notes), "lines": [line.to_json() for line in found.lines]}
    return body | {"special": [one.to_json() for one in found.special]} | extra


def print_branches(spec: Spec, found: Branches) -> None:
    """Branches with their ends, then special points, lines and notes, a line each."""
    fixed = ", ".join(f"{name} = {value:g}" for name, value in found.at.items())
    print(f"{spec.name}   along {found.along}{f', {fixed}' if fixed else ''}\n")
    for branch in found.branches:
        print(f"{branch.name}: {len(branch.points)} points, {branch.kind}; from: {branch.ends[0]}; to: {branch.ends[1]}")
    if not found.branches:
        print("no solution was found")
    if found.special:
        print(f"\n{'event':<16}{found.along:>22}{'error':>10}   branches, order parameters")
    for one in found.special:
        print(f"{one.kind:<16}{one.at[found.along]:>22.{DIGITS}g}{one.error:>10.1g}   {_sides(one)}")
    for line in found.lines:
        print(f"\nline of the {line.kind}: {len(line.points)} points; from: {line.ends[0]}; to: {line.ends[1]}")
    for note in found.notes:
        print(f"\n{note}")


def _sides(one: Special) -> str:
    names = one.branches if len(one.branches) == len(one.solutions) else one.branches * len(one.solutions)
    numbers = [", ".join(f"{k} = {float(v):.9g}" for k, v in side.order_parameters.items()) for side in one.solutions]
    return "; ".join(f"{name}: {text}" for name, text in zip(names, numbers, strict=True))

