"""The trail of a derivation on any replica tree, level by level."""

from __future__ import annotations

import sympy as sp

from replica.families.composition import Composition
from replica.families.model import TEACHER
from replica.families.reading import StaticModel
from replica.families.replicated import Sheets
from replica.families.story import GAUSSIAN_FIELDS
from replica.theory import Step, Theory
from replica.tree import Node


def trail(composition: Composition, sheets: Sheets, theory: Theory) -> tuple[Step, ...]:
    """From the replicated partition function to the saddle point, level by level."""
    label = "labels from the teacher" if composition.structure.teacher else "random labels"
    steps = [
        Step(
            "Replicated partition function",
            f"Z is the integral of exp(-beta energy) over the weights, {label}; its n-th power is averaged over the data",
            tuple(equation for name, model in composition.models.items() for equation in _energy(name, model, len(composition.models) > 1)),
        ),
        Step(
            "Overlaps",
            "averaged over the inputs, the fields of all copies are Gaussian with covariance Q_ab = w_a.w_b/d; "
            "one conjugate Q_hat_ab fixes each overlap, and weights and samples decouple",
            (),
            GAUSSIAN_FIELDS,
        ),
    ]
    for number, level in enumerate(sheets.levels):
        tree = level.level.tree
        counts = ", ".join(f"{tree.name(o)}: {c}" for o, c in tree.overlaps().items() if TEACHER not in (o.first,) and o in level.level.own)
        steps.append(
            Step(
                "Ansatz" if not number else "Probe",
                f"{_drawn(tree.root)}; pairs per overlap ({counts}), and the part linear in {tree.eps} is kept",
                (sp.Eq(sp.Symbol("trace"), level.trace, evaluate=False),),
                theory.assumptions[0] if not number else None,
            )
        )
        steps.append(Step("Entropic term", "one weight in the field of the conjugates", (_equation("log I_S", level.entropic),)))
        steps.append(Step("Energetic term", "one sample in the field of the overlaps", (_equation("log I_E", level.energetic),)))
    chart = tuple(sp.Eq(k, v, evaluate=False) for k, v in sheets.chart.items() if k != v and v.free_symbols)
    text = "increments of overlaps along the tree are the unknowns: positive, and without cancellation where they are small"
    if sheets.imposed:
        text += "; imposed overlaps are held and only their conjugates are unknown"
    steps.append(Step("Increments", text, chart))
    steps.append(
        Step(
            "Closed forms",
            "leaves are replaced by the integrals of their laws, squares are completed, polynomials and half planes integrated",
            (_equation("Phi", theory.free_entropy),),
        )
    )
    unknowns = zip(theory.system.unknowns, theory.system.equations, strict=True)
    steps.append(
        Step(
            "Saddle point",
            "stationarity in every overlap and conjugate: conjugates are averages of products of scores, "
            "overlaps of products of tilted means",
            tuple(sp.Eq(u.symbol, e, evaluate=False) for u, e in unknowns),
        )
    )
    return tuple(steps)


def _equation(name: str, value: sp.Expr) -> sp.Eq:
    return sp.Eq(sp.Symbol(name), value, evaluate=False)


def _energy(name: str, model: StaticModel, several: bool) -> list[sp.Basic]:
    y, z, w = sp.Symbol("y"), sp.Symbol("z"), sp.Symbol("w")
    of = f" of {name}" if several else ""
    found: list[sp.Basic] = []
    if model.laws.loss is not None:
        found.append(_equation(f"loss{of}", model.laws.loss.formula(y, z)))
    if model.laws.regularizer is not None:
        found.append(_equation(f"regularizer{of}", model.laws.regularizer.formula(w)))
    return found


def _drawn(node: Node) -> str:
    """The tree in one line: who stands where, and how often."""
    inside = [*node.leaves, *(f"{c.multiplicity} x ({_drawn(c)})" for c in node.children)]
    return ", ".join(inside)
