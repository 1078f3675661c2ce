"""The flow of one-pass learning: how overlaps move when every step adds a multiple of the input to the weights.

In the mean a step moves a unit along the others and along the directions of the data (Stein's lemma),

    dw_k/dalpha = sum_j S_w[k,j] w_j + sum_u S_u[k,u] B_u,

and what is left of the step is isotropic inside each block of coordinates and adds to the overlaps of units only.
"""

from __future__ import annotations

from typing import Any

import sympy as sp

from replica.families.online import names as nm
from replica.families.online.existence import checked
from replica.families.online.observables import Observed, observed
from replica.families.online.reading import OnlineModel, read
from replica.families.online.story import ASSUMPTIONS, story
from replica.families.online.terms import Kernels
from replica.families.online.ways import Way, ways
from replica.theory import Array, Axis, Definition, Flow, Gram, Nodes, Phase, Theory


def derive(spec: Any, learner: str | None = None) -> Theory:
    """The theory of the one learner of a spec.

    Raises:
        Underivable: names the part of the spec that has no theory yet.
    """
    full = spec.expand()
    kernels = Kernels()
    model, found = ways(checked(read(full, learner)), kernels)
    y, z = sp.Dummy("y", real=True), sp.Dummy("z", real=True)
    slope = -sp.diff(model.loss.formula(y, z), z).replace(sp.DiracDelta, lambda *_: sp.S.Zero)
    program: list[Definition] = []
    sampled: dict[int, Way] = {}
    for way in found:
        program += way.covariances(nm.pi[nm.c])
        scores, closed = way.scores(lambda a, b: slope.xreplace({y: a, z: b}))
        program += scores
        if not closed:
            sampled[way.number] = way
    seen = observed(model, found)
    sampled |= seen.sampled
    steps, equations = _moves(model, found)
    flow = _flow(model, (*program, *steps), equations, seen, kernels, sampled)
    theory = Theory(
        name=full.name,
        fingerprint=f"{spec.fingerprint}:online",
        controls=model.controls,
        system=flow,
        order_parameters={},
        conjugates={},
        free_entropy=sp.nan,
        observables=seen.results,
        assumptions=ASSUMPTIONS,
        spec=spec,
    )
    return story(model, theory)


def _moves(model: OnlineModel, found: tuple[Way, ...]) -> tuple[tuple[Definition, ...], tuple[Definition, ...]]:
    """The matrices of the mean motion, and the equations."""
    b, c, k, l, j, t, u = nm.b, nm.c, nm.k, nm.l, nm.j, nm.t, nm.u
    blocks, units, others = (b, sp.S.One, nm.B), (k, sp.S.One, nm.K), (l, sp.S.One, k)
    cells, directions = (c, 1, nm.C), (t, sp.S.One, nm.D)
    shifted = any(way.shifted for way in found)
    pulled = nm.pi[c] * nm.variance[c, b]
    along = sp.Sum(pulled * nm.slope_own[c, k, j], cells)
    steps = [Definition(nm.pull_own[b, k, j], (blocks, units, (j, sp.S.One, nm.K)), nm.eta * along)]
    parts = []
    if any(way.latent is not None for way in found):
        parts.append(sp.Sum(pulled * nm.slope_other[c, k, t], cells))
    if shifted:
        parts.append(sp.Sum(nm.pi[c] * nm.mean[c, t] * nm.force[c, k], cells))
    if parts:
        steps.append(Definition(nm.pull_other[b, k, t], (blocks, units, directions), nm.eta * sp.Add(*parts)))
    own, other, decay = nm.pull_own, nm.pull_other, nm.eta * nm.gamma
    cross = sp.Sum(own[b, k, j] * nm.R[b, j, t], (j, 1, nm.K)) - decay * nm.R[b, k, t]
    within = sp.Sum(own[b, k, j] * nm.Q[b, j, l] + own[b, l, j] * nm.Q[b, j, k], (j, 1, nm.K)) - 2 * decay * nm.Q[b, k, l]
    if parts:
        cross += sp.Sum(other[b, k, u] * nm.T[b, u, t], (u, 1, nm.D))
        within += sp.Sum(other[b, k, u] * nm.R[b, l, u] + other[b, l, u] * nm.R[b, k, u], (u, 1, nm.D))
    within += nm.eta**2 / nm.batch * nm.fraction[b] * sp.Sum(pulled * nm.noise[c, k, l], cells)
    equations = [Definition(nm.Q[b, k, l], (blocks, units, others), within, symmetric=True)]
    if model.directions:
        equations.append(Definition(nm.R[b, k, t], (blocks, units, directions), cross))
    if model.student.trained:
        equations.append(Definition(nm.v[k], (units,), nm.eta_v * sp.Sum(nm.pi[c] * nm.push[c, k], cells)))
    return tuple(steps), tuple(equations)


def _flow(
    model: OnlineModel,
    program: tuple[Definition, ...],
    equations: tuple[Definition, ...],
    seen: Observed,
    kernels: Kernels,
    sampled: dict[int, Way],
) -> Flow:
    unit, direction = Axis(nm.K, "unit", model.student.count), Axis(nm.D, "direction", sp.Integer(len(model.directions)), model.directions)
    block = Axis(nm.B, "block", sp.Integer(len(model.blocks)), model.blocks)
    cell = Axis(nm.C, "cell", sp.Integer(len(model.cells)), tuple(c.name for c in model.cells))
    unknowns = [Array(nm.Q, (block, unit, unit), "overlaps of the student's units, w_k.w_l/d")]
    if model.directions:
        unknowns.append(Array(nm.R, (block, unit, direction), "overlaps of units with the directions of the data, w_k.B_t/d"))
    if model.student.trained:
        unknowns.append(Array(nm.v, (unit,), "readout weights"))
    if model.directions:
        unknowns.append(Array(nm.T, (block, direction, direction), "overlaps of the directions, B_t.B_u/d"))
    parameters = [
        Array(nm.pi, (cell,), "probability of each cell"),
        Array(nm.variance, (cell, block), "variance of the inputs"),
        Array(nm.mean, (cell, direction), "coefficients of the means"),
        Array(nm.label, (cell,), "value of the label"),
        Array(nm.fraction, (block,), "part of all coordinates"),
        Array(nm.test, (cell,), "whether a test average uses the cell"),
        *(Array(base, (cell,), "weights of a test average") for base in seen.weights),
    ]
    scratch = [
        Array(nm.C_Q, (cell, unit, unit), "covariance of fields of units"),
        Array(nm.C_R, (cell, unit, direction)),
        Array(nm.C_T, (cell, direction, direction)),
        Array(nm.m_Q, (cell, unit), "mean fields"),
        Array(nm.m_T, (cell, direction)),
        Array(nm.force, (cell, unit), "mean score"),
        Array(nm.slope_own, (cell, unit, unit), "mean slope of a score in a unit's field"),
        Array(nm.diagonal, (cell, unit), "its part in the unit's own field"),
        Array(nm.slope_other, (cell, unit, direction), "mean slope of a score in a direction's field"),
        Array(nm.noise, (cell, unit, unit), "mean product of scores"),
        Array(nm.push, (cell, unit), "mean score of the readout"),
        Array(nm.pull_own, (block, unit, unit), "mean motion along units"),
        Array(nm.pull_other, (block, unit, direction), "mean motion along directions"),
        *(Array(base, (cell,)) for base in seen.values),
    ]
    nodes: list[Nodes] = []
    every: list[Array] = []
    for way in sampled.values():
        rule = way.sampled(nm.pi[nm.c])
        nodes.append(rule.nodes)
        every += rule.arrays
    return Flow(
        axes=(unit, direction, block, cell),
        unknowns=tuple(unknowns),
        parameters=tuple(parameters),
        scratch=(*scratch, *every),
        program=program,
        equations=equations,
        readout=seen.program,
        kernels=kernels.used,
        nodes=tuple(nodes),
        phases=tuple(_phase(model, number, seen) for number in range(len(model.stages))),
        start=_start(model),
    )


def _phase(model: OnlineModel, number: int, seen: Observed) -> Phase:
    stage, names = model.stages[number], [latent.name for latent in model.latents for _ in range(int(latent.units.count))]
    values = {
        nm.pi: stage.weights,
        nm.variance: tuple(cell.variances for cell in model.cells),
        nm.mean: tuple(tuple(cell.mean.get(name, sp.S.Zero) for name in names) for cell in model.cells),
        nm.label: tuple(cell.value for cell in model.cells),
        nm.fraction: model.fractions,
        nm.eta: stage.rate,
        nm.eta_v: stage.readout_rate,
        nm.gamma: stage.decay,
        nm.batch: stage.batch,
        nm.test: seen.used,
        **seen.weights,
    }
    return Phase(stage.name, stage.duration, values)


def _start(model: OnlineModel) -> Gram:
    size = len(model.directions)
    overlaps = [[[sp.S.Zero] * size for _ in range(size)] for _ in model.blocks]
    for one in model.latents:
        for other in model.latents:
            value = model.overlaps.get((one.name, other.name), sp.S.Zero)
            for p in range(int(one.units.count)):
                for q in range(int(other.units.count)):
                    for block, moment in enumerate(one.moments):
                        same = one is other and p == q
                        overlaps[block][one.place + p][other.place + q] = moment if same else value if one is not other else sp.S.Zero
    size_v, negative = model.readout
    others = {"v": (size_v, negative)} if model.student.trained else {}
    return Gram("Q", "R", "T", model.spread, model.fractions, tuple(tuple(map(tuple, rows)) for rows in overlaps), others, model.size)
