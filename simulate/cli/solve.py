"""`replica solve`: all solutions at a point or along a sweep, to any number of digits."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence

from numerics.compile import compile_theory
from numerics.solution import Solution
from numerics.solve import solve
from replica.derive import derive
from replica.spec import load
from replica.theory import Flow
from simulate.cli.request import RequestError, sweeps, values
from simulate.cli.screen import print_json, print_warnings

DOUBLE, MOST = 15, 1000


def run(options: Namespace) -> int:
    """Solve and print.  Exit code 1 where a point has no solution."""
    spec = load(options.spec)
    fixed = values(spec, options.set)
    axes = sweeps(spec, options.sweep, fixed)
    if not 1 <= options.digits <= MOST:
        raise RequestError(f"--digits {options.digits}: between 1 and {MOST}")
    theory = derive(spec)
    if isinstance(theory.system, Flow):
        print_warnings(spec)
        from simulate.cli import flows  # a trajectory needs more than a fixed point does

        return flows.solve(options, spec, theory, fixed, axes)
    module = compile_theory(theory)
    if theory.missing:
        from simulate.measured import acting, measured  # draws systems and trains them

        if moving := [name for name in axes if name in acting(spec)]:
            raise RequestError(f"--sweep {moving[0]}: it changes the networks whose features are measured; solve its points one by one")
        fixed = {**fixed, **measured(spec, fixed)}
    print_warnings(spec)  # a theory that cannot be compiled says one line, why
    if axes or options.output or options.digits > DOUBLE:
        from simulate.cli.grid import solve_grid  # xarray and h5py take longer to load than a point to solve

        points = solve_grid(spec, module, fixed, axes, options.digits, options.output)
    else:
        points = [solve(module, fixed)]
    if options.json:
        print_json({"name": spec.name, "fingerprint": spec.fingerprint, "points": [point_json(found) for found in points]})
    elif len(points) == 1:
        print(spec.name)
        for found in told(points[0]):
            print_solution(found, tuple(spec.controls))
    else:
        print_table(spec.name, tuple(axes), points)
    return 0 if all(found[0].converged for found in points) else 1


def point_json(solutions: Sequence[Solution]) -> dict[str, object]:
    """A point as INTERFACE's JSON."""
    return {"at": dict(solutions[0].at), "solutions": [found.to_json() for found in solutions]}


def told(solutions: Sequence[Solution]) -> Sequence[Solution]:
    """The solutions of a point; where there is none, the failure that says most."""
    return [found for found in solutions if found.converged] or solutions[:1]


def print_solution(found: Solution, controls: Sequence[str] | None = None) -> None:
    """Every named number of one solution, one a line; of the point, these controls or all."""
    point = ", ".join(f"{name} = {value:g}" for name, value in found.at.items() if controls is None or name in controls)
    print(f"\nat {point}: {found.sentence}" if point else f"\n{found.sentence}")
    if not found.converged:
        return
    groups: dict[str, Mapping[str, object]] = {
        "order parameters": found.order_parameters, "conjugates": found.conjugates,
        "free entropy": {"free_entropy": found.free_entropy}, "observables": found.observables,
    }
    for title, content in groups.items():
        if content:
            print(f"  {title}")
        for name, value in content.items():
            print(f"    {name:<24} {value if isinstance(value, str) else format(value, '.15g')}")
    stable = {True: "stable", False: "unstable", None: "stability unknown"}[found.stable]
    agreement = f", agrees with double precision to {found.agreement} digits" if found.agreement is not None else ""
    print(f"  {stable}, residual {found.residual:.1g}, quadrature error {found.quadrature_error:.1g}{agreement}")


def print_table(title: str, axes: Sequence[str], points: Sequence[Sequence[Solution]]) -> None:
    """One line per solution: controls, order parameters, free entropy, observables."""
    best = next((found[0] for found in points if found[0].converged), points[0][0])
    names = [*best.order_parameters, "free_entropy", *best.observables]
    long = max((len(str(best[name])) for name in names if isinstance(best[name], str)), default=12)
    wide = max(long, *map(len, names)) + 2
    print(f"{title}\n")
    print("".join(f"{name:>10}" for name in axes) + "".join(f"{name:>{wide}}" for name in names))
    for solutions in points:
        for rank, found in enumerate(told(solutions)):
            where = "".join(f"{found.at[name]:>10.4g}" for name in axes)
            if not found.converged:
                print(f"{where}  {found.sentence}")
                continue
            numbers = (found[name] for name in names)
            shown = "".join(f"{number if isinstance(number, str) else format(number, '.8g'):>{wide}}" for number in numbers)
            print(where + shown + ("   coexisting" if rank else ""))
