"""Zero-temperature leaves of learners that answer one sample together: their joint proximal point.

    points h = argmin_h [ (h - fields) V^-1 (h - fields) / 2 + sum_i loss_i(h_i) ],    scores g = V^-1 (h - fields) = -loss'(h)

A problem is (losses, us, V, fields): `us[i]` is bound in `losses[i]`, V a positive symmetric matrix.  Nodes name one learner, or two.
They stand in averages until these are taken over separate variables (replica.passes.separate), and have no numbers of their own.
"""

from __future__ import annotations

import sympy as sp

Answer = tuple[sp.Tuple, sp.Tuple, sp.ImmutableDenseMatrix, sp.Tuple]


class Joint(sp.Expr):
    """Node(losses, us, V, fields, learner, ...)."""

    is_real = True

    def __new__(cls, losses, us, V, fields, *which):
        return sp.Expr.__new__(
            cls, sp.Tuple(*losses), sp.Tuple(*us), sp.ImmutableDenseMatrix(V), sp.Tuple(*fields), *(sp.Integer(i) for i in which)
        )

    @property
    def answer(self) -> Answer:
        """The problem that this node is part of."""
        return self.args[:4]

    @property
    def which(self) -> tuple[int, ...]:
        """Numbers of the learners."""
        return tuple(int(i) for i in self.args[4:])

    @property
    def free_symbols(self):
        losses, us, V, fields = self.answer
        return (losses.free_symbols - set(us)) | V.free_symbols | fields.free_symbols

    def _eval_subs(self, old, new):
        return self if old in set(self.args[1]) else None

    def _moved(self, slope: type[Joint], x: sp.Symbol) -> sp.Expr:
        """Slopes times what moves the fields."""
        losses, us, V, fields = self.answer
        if x in V.free_symbols:
            raise ValueError("no derivative rule for the responses of a joint proximal point")
        points = {u: JointPoint(*self.answer, k) for k, u in enumerate(us)}
        pulls = [loss.diff(u).diff(x).xreplace(points) for loss, u in zip(losses, us, strict=True)]
        found = sp.S.Zero
        for j, h in enumerate(fields):
            moved = h.diff(x) - sp.Add(*(V[j, k] * pull for k, pull in enumerate(pulls)))
            if moved != 0:
                found += slope(*self.answer, *self.which, j) * moved
        return found

    def _latex(self, printer):
        fields = ", ".join(printer._print(h) for h in self.args[3])
        return rf"\operatorname{{{self.name}}}_{{{', '.join(str(i + 1) for i in self.which)}}}\left({fields}\right)"


class JointPoint(Joint):
    """h_i."""

    name = "prox"

    def _eval_derivative(self, x):
        return self._moved(PointSlope, x)


class JointScore(Joint):
    """g_i."""

    name = "score"

    def _eval_derivative(self, x):
        return self._moved(ScoreSlope, x)


class JointLoss(Joint):
    """loss_i(h_i)."""

    name = "loss"


class PointSlope(Joint):
    """d h_i / d field_j."""

    name = "prox'"


class ScoreSlope(Joint):
    """d g_i / d field_j."""

    name = "score'"
