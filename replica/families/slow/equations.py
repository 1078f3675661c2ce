"""The slow flow of noisy descent: units move down the modified loss, dw_k/dn = -rate grad_k, and overlaps with them.

A function F of Q_b = W_b W_b^T, R_b = W_b B_b and v has the gradient (dF/dQ_b + its transpose) W_b + dF/dR_b B_b^T in W_b.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sympy as sp

from replica.families.slow import names as nm
from replica.families.slow.law import Law, law
from replica.families.slow.reading import SlowModel, read
from replica.families.slow.story import assumptions, floor, story
from replica.formula import parse
from replica.spec.observables import ColumnNorm
from replica.theory import Array, Axis, Definition, Flow, Gram, Phase, Theory

_ONE = sp.S.One
_BLOCKS, _UNITS, _OTHERS = (nm.b, _ONE, nm.B), (nm.k, _ONE, nm.K), (nm.l, _ONE, nm.k)


def derive(spec: Any, learner: str | None = None) -> Theory:
    """The theory of the one learner of a spec.

    Raises:
        Underivable: names the part of the spec that has no theory.
    """
    full = spec.expand()
    model = read(full, learner)
    found = law(model.stiffness)
    readout, results = _observed(model, found)
    unit, direction = Axis(nm.K, "unit", model.width), Axis(nm.D, "direction", _ONE, (model.teacher,))
    block = Axis(nm.B, "block", sp.Integer(len(model.blocks)), model.blocks)
    flow = Flow(
        axes=(unit, direction, block),
        unknowns=(
            Array(nm.Q, (block, unit, unit), "products of first weights, W_k.W_l over a block"),
            Array(nm.R, (block, unit, direction), "products with the teacher, W_k.B/sqrt(d) over a block"),
            Array(nm.v, (unit,), "second weights"),
            Array(nm.T, (block, direction, direction), "|B|^2/d over a block"),
        ),
        parameters=(Array(nm.variance, (block,), "variance of the inputs"), Array(nm.count, (block,), "number of coordinates")),
        scratch=(
            Array(nm.h, (block, unit), "products of units with the error of the output's weights"),
            Array(nm.e, (block,), "squared error of the output's weights"),
            Array(nm.e_bar, (block,)),
            Array(nm.h_bar, (block, unit)),
            Array(nm.G_Q, (block, unit, unit), "slopes of the modified loss"),
            Array(nm.G_R, (block, unit)),
            Array(nm.G_v, (unit,)),
            *(Array(base, (unit, unit)) for base in (nm.M, nm.L, nm.J)),
            Array(nm.held, (block, unit)),
        ),
        program=(*found.errors, *found.slopes),
        equations=_moves(),
        readout=readout,
        kernels=(),
        nodes=(),
        phases=tuple(_phases(model)),
        start=Gram(
            "Q",
            "R",
            "T",
            model.spread * sp.sqrt(model.dimension),
            model.fractions,
            tuple(((fraction * moment,),) for fraction, moment in zip(model.fractions, model.moments, strict=True)),
            {"v": (model.readout, model.negative)},
            model.dimension,
        ),
        time=nm.n,
    )
    theory = Theory(
        name=full.name,
        fingerprint=f"{spec.fingerprint}:slow",
        controls=model.controls,
        system=flow,
        order_parameters={},
        conjugates={},
        free_entropy=sp.nan,
        observables=results,
        assumptions=assumptions(model),
        spec=spec,
    )
    return replace(theory, trail=story(model, found))


def _moves() -> tuple[Definition, ...]:
    b, k, l, m = nm.b, nm.k, nm.l, nm.m

    def along(one: sp.Symbol, other: sp.Symbol, overlap: sp.Expr) -> sp.Expr:
        return sp.Sum((nm.G_Q[b, one, m] + nm.G_Q[b, m, one]) * overlap, (m, 1, nm.K))

    within = along(k, l, nm.Q[b, m, l]) + along(l, k, nm.Q[b, m, k]) + nm.G_R[b, k] * nm.R[b, l, 1] + nm.G_R[b, l] * nm.R[b, k, 1]
    cross = along(k, l, nm.R[b, m, 1]) + nm.G_R[b, k] * nm.T[b, 1, 1]
    return (
        Definition(nm.Q[b, k, l], (_BLOCKS, _UNITS, _OTHERS), -nm.eta * within, symmetric=True),
        Definition(nm.R[b, k, _ONE], (_BLOCKS, _UNITS), -nm.eta * cross),
        Definition(nm.v[k], (_UNITS,), -nm.eta * nm.G_v[k]),
    )


def _observed(model: SlowModel, found: Law) -> tuple[tuple[Definition, ...], dict[str, sp.Expr]]:
    """Averages over the fluctuations around the slow motion.

    The gradients of the output along the inputs have products |v|^2 delta_ij + W_i.W_j; the fluctuations lie in their span.
    """
    a, k, l, m, q, r = nm.a, nm.k, nm.l, nm.m, nm.q, nm.r
    readouts = sp.Sum(nm.v[q] ** 2, (q, 1, nm.K))
    products = Definition(nm.M[k, l], (_UNITS, _OTHERS), sp.KroneckerDelta(k, l) * readouts + sp.Sum(nm.Q[a, k, l], (a, 1, nm.B)))
    root = Definition(nm.L[k, l], (_UNITS, _OTHERS), nm.M[k, l], factor=1)
    back = Definition(nm.J[k, l], (_UNITS, _OTHERS), nm.L[k, l], factor=-1)
    rows = sp.Sum(nm.J[k, q] * sp.Sum(nm.Q[nm.b, q, r] * nm.J[k, r], (r, 1, k)), (q, 1, k))
    held = Definition(nm.held[nm.b, k], (_BLOCKS, _UNITS), rows)  # |v|^2 tr (|v|^2 + W^T W)^-1 over a block is d_b minus their sum
    size = floor(model.stiffness)
    excess = sp.Sum(nm.variance[a] * (nm.count[a] * readouts + sp.Sum(nm.Q[a, m, m], (m, 1, nm.K))), (a, 1, nm.B))
    mse = found.squared + size * excess
    results = {"loss": model.stiffness * mse / 2, "mse": mse}
    for name, record in model.observables.items():
        if isinstance(record, ColumnNorm):
            place = sp.Integer(model.blocks.index(record.block) + 1)
            moved = nm.count[place] - sp.Sum(nm.held[place, m], (m, 1, nm.K))
            results[name] = sp.sqrt(sp.Sum(nm.Q[place, m, m], (m, 1, nm.K)) + size * moved)
        else:
            results[name] = parse(record.formula or "", {**model.names, **results})
    return (*found.errors, products, root, back, held), results


def _phases(model: SlowModel) -> list[Phase]:
    return [
        Phase(
            stage.name,
            stage.steps,
            {
                nm.variance: model.variances,
                nm.count: tuple(fraction * model.dimension for fraction in model.fractions),
                nm.eta: stage.rate,
                nm.batch: stage.batch,
                nm.part: stage.part,
                nm.noise: model.noise,
            },
        )
        for stage in model.stages
    ]
