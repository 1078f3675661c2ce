"""Averages over joint proximal points of two learners, in variables in which each learner has a proximal point of its own.

With a diagonal D > 0 instead of V, fields f = h - D g have h_i = Prox(loss_i, D_i, f_i), one by one, and the true fields are explicit:

    fields = f - (V - D) g(f),        density of f = density of fields * det(1 - (V - D) g'(f)).

Nothing is solved for, and kinks stand at fixed f_i.  D_1 = V_11 + V_12 and D_2 = V_22 - V_12^2/V_11 keep the mass where it is known:
f_1 stays by the field of the first learner, and f_2 - c h_1 is the combination b = field_2 - c field_1, c = V_12/V_11, which a strong
coupling makes narrow.
"""

from __future__ import annotations

import sympy as sp

from replica.nodes import Gauss, Measure, Moreau, Prox, ProxSlope, Tilted
from replica.nodes.joint import Joint, JointLoss, JointPoint, JointScore, PointSlope, ScoreSlope
from replica.passes.walk import bottom_up


def separate(expression: sp.Expr) -> sp.Expr:
    """Every average with joint proximal points in separate variables."""
    return bottom_up(expression, lambda e: _separated(e) if isinstance(e, Tilted) and e.atoms(Joint) else e)


def closed_joint(node: Joint) -> sp.Expr:
    """A node of quadratic losses as a rational function; others stay, and points, which a kink may stand in: in a variable of their own."""
    losses, us, V, fields = node.answer
    quadratic = all(loss.is_polynomial(u) and sp.degree(loss, u) <= 2 for loss, u in zip(losses, us, strict=True))
    if isinstance(node, JointPoint) or not quadratic:
        return node
    expanded = [sp.expand(loss) for loss in losses]
    pull = sp.Matrix([e.coeff(u, 1) for e, u in zip(expanded, us, strict=True)])
    bend = sp.diag(*(2 * e.coeff(u, 2) for e, u in zip(expanded, us, strict=True)))
    slope = _inverse(sp.eye(len(us)) + V * bend)
    points = slope * (sp.Matrix(fields) - V * pull)
    if isinstance(node, PointSlope):
        return slope[node.which]
    if isinstance(node, ScoreSlope):
        return (-bend * slope)[node.which]
    (i,) = node.which
    return -(pull + bend * points)[i] if isinstance(node, JointScore) else losses[i].xreplace({us[i]: points[i]})


def _separated(e: Tilted) -> sp.Expr:
    nodes = e.atoms(Joint)
    ((losses, us, V, fields),) = {n.answer for n in nodes}
    normal = [m for m in e.measures if isinstance(m, Gauss)]
    law = _Normal.of(normal)
    own = [next(v for v in law.variables if v in sp.Add.make_args(field)) for field in fields]
    shifts = [field - v for field, v in zip(fields, own, strict=True)]
    first = [v for v in law.variables if v not in own and any(v in part.free_symbols for part in (*losses, *shifts))]
    law = law.ordered([*first, *own])
    measures: list[Measure] = [m for m in e.measures if m not in normal]
    if first:
        measures.append(law.marginal(len(first)))
    (m1, m2), Q = law.given(len(first))
    m1, m2 = m1 + shifts[0], m2 + shifts[1]
    V1, V12 = V[0, 0], V[0, 1]
    c, D = V12 / V1, (V1 + V12, V[1, 1] - V12**2 / V1)
    f = [sp.Dummy(f"f_{i + 1}", real=True) for i in range(2)]
    problems = [(losses[i], us[i], D[i], f[i]) for i in range(2)]
    h, s = [Prox(*p) for p in problems], [ProxSlope(*p) for p in problems]
    g, bend = [(h[i] - f[i]) / D[i] for i in range(2)], [-(1 - s[i]) / D[i] for i in range(2)]
    at1 = f[0] + V12 * (g[0] - g[1])  # the fields
    b = f[1] - c * h[0]
    at2 = b + c * at1
    # b | field_1 ~ N(beta + k (field_1 - m1), tau^2); the laws that stand for f_1 and f_2 are wider by what V_12 (g_2 - g_1) spreads
    beta, k = m2 - c * m1, Q[0, 1] / Q[0, 0] - c
    spread, tau = sp.sqrt(Q[0, 0]), sp.sqrt(Q[1, 1] - Q[0, 1] ** 2 / Q[0, 0])
    apart = losses[0].diff(us[0]).xreplace({us[0]: m1}) - losses[1].diff(us[1]).xreplace({us[1]: m2})
    wide = c * spread + V12 * (1 + c) * sp.sqrt(tau**2 + (k * spread) ** 2) / D[1] + V12 * sp.Abs(apart) / _ROOM
    s1, s2 = spread + wide, tau + sp.Abs(k) * wide
    exponent = (
        ((f[0] - m1) / s1) ** 2
        - ((at1 - m1) / spread) ** 2
        + ((b - beta - k * (f[0] - m1)) / s2) ** 2
        - ((b - beta - k * (at1 - m1)) / tau) ** 2
    ) / 2
    # det of d(field_1, b)/d(f_1, f_2), where d field_1/d f_1 = 1 + V_12 g_1' stays positive: D_1 > V_12
    det = 1 + V12 * bend[0] - V12 * bend[1] * c * s[0]
    turn = sp.Matrix([[1 + V12 * bend[0], -V12 * bend[1]], [c * V12 * bend[0] - c * s[0] + c, 1 - c * V12 * bend[1]]])
    inverse = sp.Matrix([[turn[1, 1], -turn[0, 1]], [-turn[1, 0], turn[0, 0]]]) / det
    place: dict[sp.Basic, sp.Expr] = {own[0]: at1 - shifts[0], own[1]: at2 - shifts[1]}
    for n in nodes:
        place[n] = _explicit(n, problems, h, g, s, bend, inverse)
    measures += [
        Gauss([f[0]], [m1], [[s1**2]]),
        Gauss([f[1]], [c * h[0] + beta + k * (f[0] - m1)], [[s2**2]]),
    ]
    if len(law.variables) > len(first) + 2:
        means, rest = law.given(len(first) + 2)
        measures.append(Gauss(law.variables[len(first) + 2 :], [mean.xreplace(place) for mean in means], rest))
    body = e.body.xreplace(place) * det * s1 * s2 / (spread * tau)
    return Tilted(body, e.exponent.xreplace(place) + exponent, measures, normalised=True)


_ROOM = 4  # a law of width s is integrated over 9.5 s, of which its own spread takes half: the rest may be a shift


def _explicit(n: Joint, problems, h, g, s, bend, inverse: sp.Matrix) -> sp.Expr:
    i = n.which[0]
    if isinstance(n, PointSlope):
        return s[i] * inverse[n.which]
    if isinstance(n, ScoreSlope):
        return bend[i] * inverse[n.which]
    if isinstance(n, JointLoss):
        return Moreau(*problems[i]) - (h[i] - problems[i][3]) ** 2 / (2 * problems[i][2])
    return h[i] if isinstance(n, JointPoint) else g[i]


def _inverse(m: sp.Matrix) -> sp.Matrix:
    """Of two rows, as it is written: no pivot is looked for in expressions."""
    return sp.Matrix([[m[1, 1], -m[0, 1]], [-m[1, 0], m[0, 0]]]) / (m[0, 0] * m[1, 1] - m[0, 1] * m[1, 0])


class _Normal:
    """A joint normal law, symbolically."""

    def __init__(self, variables: list[sp.Symbol], means: list[sp.Expr], covariance: sp.Matrix) -> None:
        self.variables, self.means, self.covariance = variables, means, covariance

    @classmethod
    def of(cls, measures: list[Gauss]) -> _Normal:
        """Of measures whose means are affine in one another's variables."""
        found = cls([], [], sp.zeros(0, 0))
        pending = list(measures)
        while pending:
            m = next(m for m in pending if not any(v in m.free_symbols for o in pending if o is not m for v in o.variables))
            pending.remove(m)
            if not found.variables:
                found = cls(list(m.variables), list(m.means), sp.Matrix(m.covariance))
                continue
            slopes = sp.Matrix([[mean.diff(v) for v in found.variables] for mean in m.means])
            at_mean = dict(zip(found.variables, found.means, strict=True))
            cross = slopes * found.covariance
            covariance = sp.Matrix(sp.BlockMatrix([[found.covariance, cross.T], [cross, cross * slopes.T + sp.Matrix(m.covariance)]]))
            found = cls([*found.variables, *m.variables], [*found.means, *(mean.xreplace(at_mean) for mean in m.means)], covariance)
        return found

    def ordered(self, head: list[sp.Symbol]) -> _Normal:
        """The same with some variables first."""
        at = [self.variables.index(v) for v in [*head, *(v for v in self.variables if v not in head)]]
        return _Normal([self.variables[i] for i in at], [self.means[i] for i in at], self.covariance.extract(at, at))

    def marginal(self, count: int) -> Gauss:
        """Law of the first variables."""
        return Gauss(self.variables[:count], self.means[:count], self.covariance[:count, :count])

    def given(self, count: int) -> tuple[list[sp.Expr], sp.Matrix]:
        """Means and covariance of the others given the first variables."""
        means, C = list(self.means), sp.Matrix(self.covariance)
        for i in range(count):  # one after another: nothing is inverted
            column = C[:, i] / C[i, i]
            step = self.variables[i] - means[i]
            means = [mean + column[j] * step if j > i else mean for j, mean in enumerate(means)]
            C = C - column * C[i, :]
        return means[count:], C[count:, count:]
