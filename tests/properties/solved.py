"""Specs written in a line or two, solved; modules are compiled once per process."""

from __future__ import annotations

from functools import cache

from numerics.compile import compile_theory
from numerics.solution import Solution
from numerics.solve import solve
from replica.derive import derive
from replica.spec import Spec, load


@cache
def catalog_module(name: str):
    """The compiled theory of a spec of the catalog."""
    return compile_theory(derive(load(name)))


@cache
def module_of(text: str):
    """The compiled theory of a spec given as text."""
    return compile_theory(derive(Spec.from_toml(text)))


def spec_text(student: str, teacher: str = "", controls: str = "") -> str:
    """A spec file: bodies of the tables [student], [teacher] (left out when empty) and [controls]; alpha is always there."""
    tables = [f'format = 1\nname = "test"\n\n[student]\n{student}']
    if teacher:
        tables.append(f"[teacher]\n{teacher}")
    tables.append(f'[controls]\nalpha = {{ value = 1.0, domain = "(0, inf)" }}\n{controls}')
    return "\n\n".join(tables) + "\n"


def best(module, **at: float) -> Solution:
    """The thermodynamic solution; a test that gets none fails here and says why."""
    first = solve(module, at)[0]
    assert first.converged, f"{at}: {first.status}"
    return first


def numbers(solution: Solution) -> dict[str, float]:
    """Everything a solution names, as floats; unknowns too."""
    found = {**solution.unknowns, **solution.order_parameters, **solution.conjugates, **solution.observables}
    return {"free_entropy": float(solution.free_entropy)} | {name: float(value) for name, value in found.items()}
