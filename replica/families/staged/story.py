"""The trail of a derivation on structured data."""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from replica.families.staged.equations import Equations
from replica.families.story import GAUSSIAN_FIELDS, REPLICA_TRICK
from replica.theory import Assumption, Step, Theory

CAUSAL = Assumption(
    "limits",
    "d -> infinity, then the number of replicas of each stage -> 0 and its temperature -> 0, stage after stage, each on one replica of "
    "the stages before: a later stage answers earlier ones and never the other way round",
)


def trail(equations: Equations, theory: Theory) -> Theory:
    """The theory with its steps."""
    problem = equations.problem
    order = ", then ".join(
        " and ".join(v.name for v in problem.vectors if v.stage == s) for s in sorted({v.stage for v in problem.vectors})
    )
    steps = [
        Step(
            "Replicated partition function",
            f"exp(-beta energy) of {order}; the logarithm of each is averaged over data and over the learners before by the replica trick",
            (),
            REPLICA_TRICK,
        ),
        Step(
            "Overlaps",
            "given the overlaps, of learners with latents and with one another, the fields of a sample are Gaussian: "
            "mean and variance in every cell",
            tuple(_fields(equations)),
            GAUSSIAN_FIELDS,
        ),
        Step("Ansatz", "replica symmetry in every stage; its replicas differ by chi/beta as the temperature goes to zero", (), CAUSAL),
        Step("Energetic term", "the field of a sample goes to its proximal point", tuple(_points(equations))),
        Step("Entropic term", "weights are what the fields B of the coordinates and the penalties agree on", tuple(_weights(equations))),
        Step(
            "Saddle point",
            "overlaps are moments of the weights; conjugates are averages of products of scores, weighted with the variances of the inputs",
            tuple(sp.Eq(p.symbol, e, evaluate=False) for p, e in zip(theory.system.unknowns, theory.system.equations, strict=True)),
        ),
    ]
    return replace(theory, trail=tuple(steps))


def _fields(equations: Equations) -> list[sp.Basic]:
    found: list[sp.Basic] = []
    for c in equations.problem.cells:
        for v in equations.problem.vectors:
            if c.key in v.losses:
                field = equations.samples.field(c, v.name)
                mean, variance = equations.samples.mean(c, v.name), equations.samples.covariance(c, v.name, v.name)
                found.append(sp.Eq(sp.Function("E")(field), mean, evaluate=False))
                found.append(sp.Eq(sp.Function("Var")(field), variance, evaluate=False))
    return found


def _points(equations: Equations) -> list[sp.Basic]:
    return [
        sp.Eq(sp.Symbol(f"z_{v.name}"), equations.samples.point(c, v.name), evaluate=False)
        for v in equations.problem.vectors
        for c in equations.problem.cells
        if c.key in v.losses
    ]


def _weights(equations: Equations) -> list[sp.Basic]:
    return [
        sp.Eq(sp.Symbol(f"w_{name}" + (f"_{w.site.name}" if w.site.name else "")), value, evaluate=False)
        for w in equations.weights
        for name, value in w.solution.items()
    ]
