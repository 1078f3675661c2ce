"""Channel written as the density or probability of the label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import sympy as sp

from replica.arrays import evaluate
from replica.draws import check_label
from replica.ingredients import Bounds, Channel, FormulaText, Values, parameter
from replica.labels import DiscreteLabels, Labels, RealLabels


@dataclass(frozen=True)
class Density(Channel):
    """The probability of each listed label, or a density of a real label, that sums or integrates to one at every z.

    Args:
        text: formula of y and z; its key in a file is `density`.
        values: the labels, where they are discrete; its key is `labels`.
        support: (lower, upper) of a real label; absent, the whole line.
    """

    form = "density"
    text: FormulaText = parameter(key="density", meaning="probability or density as a formula of y and z")
    values: Values | None = parameter(None, key="labels", meaning="value of a label")
    support: Bounds | None = parameter(None, "[-inf, inf]", "pair of ends of the labels")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.values is not None and self.support is not None:
            raise ValueError("Density: labels are discrete and support is for real ones; give one of the two.")
        if self.values == ():
            raise ValueError("Density: labels must list at least one value, got none.")

    def labels(self) -> Labels:
        if self.values is not None:
            return DiscreteLabels(tuple(self.expr(value) for value in self.values))
        lower, upper = self.support or (-sp.oo, sp.oo)
        return RealLabels(self.expr(lower), self.expr(upper))

    def density(self, y: sp.Expr, z: sp.Expr) -> sp.Expr:
        return self.read(self.text, y=y, z=z)

    def check_mass(self) -> None:
        label, field = sp.Dummy("y", real=True), sp.Dummy("z", real=True)
        law = self.density(label, field)
        check_label(self.labels(), lambda y, z: evaluate(law, {label: y, field: z}))

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        return (
            cls("sigmoid(y*z)", values=(-1, 1)),
            cls("exp(-abs(y - z)) / 2"),
            cls("exp(-y/exp(z)) / exp(z)", support=(0, float("inf"))),
        )
