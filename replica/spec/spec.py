"""A spec: everything that a model is, as one frozen record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import sympy as sp

from replica.spec.checks import check, check_at
from replica.spec.document import Tables
from replica.spec.expand import expanded
from replica.spec.fingerprint import fingerprint
from replica.spec.point import point
from replica.spec.read import read_toml
from replica.spec.write import to_python, to_toml
from replica.symbols import control_symbol


@dataclass(frozen=True)
class Spec(Tables):
    """What a model is; checked when it is made, in the order of SPEC.md section 10.

    Args:
        name: a title.
        notes, assume: remarks; the steps that a derivation may take without proof (absent: any, listed with the result).
        teacher, student, data: shorthand tables.
        blocks, latents, slices, groups, learners: tables by name.
        stages: in the order of time.
        ansatz: the overlap structure assumed in solving.
        observables, controls: by name.
        run: the run plan.

    Raises:
        SpecError: one line.
    """

    def finish(self) -> None:
        super().finish()
        self.check()

    @classmethod
    def from_toml(cls, source: str | Path) -> Self:
        """The spec of a file (a path) or of a text (anything with a line break).

        Raises:
            SpecError: one line with file, line and key.
        """
        return read_toml(cls, source)

    def to_toml(self) -> str:
        """The spec as a file; only what was given is written."""
        return to_toml(self)

    def to_python(self) -> str:
        """A program whose `spec` equals this one."""
        return to_python(self)

    @cached_property
    def _expanded(self) -> Self:
        copy = object.__new__(type(self))  # checked already: the checks run on what is expanded here
        vars(copy).update(vars(expanded(self)))
        return copy

    def expand(self) -> Self:
        """The same model without shorthand: every slice with its cells, every learner and stage with its defaults."""
        return self._expanded

    @cached_property
    def fingerprint(self) -> str:
        """Identity of the model: equal for shorthand, long form, TOML and Python, and for all values of controls and all ansaetze."""
        return fingerprint(self.expand())

    def check(self) -> None:
        """Check again; a spec that exists has passed already."""
        check(self)

    def symbols(self) -> dict[str, sp.Symbol]:
        """The symbol of every control."""
        return {name: control_symbol(name) for name in self.controls}

    def at(self, values: Mapping[str, float] | None = None) -> dict[str, float]:
        """The value of every control when some are set by hand; derived ones follow, solved ones stand at their start.

        Raises:
            SpecError: for an unknown or derived control, a value outside its domain, and shares or overlaps that are impossible there.
        """
        found = point(self.controls, values or {})
        if values:
            check_at(self, self.expand(), found)
        return found

    def __hash__(self) -> int:
        return hash((self.fingerprint, self.ansatz))
