"""What can be measured at a saddle point, as averages over the joint law of teacher's and student's fields."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from replica.families.draft import Closing, Draft
from replica.families.model import TEACHER
from replica.families.reading import StaticModel
from replica.labels import SIGNS, RealLabels
from replica.nodes import Flat, Gauss, Tilted
from replica.theory import Assumption
from replica.tree import Leaf, Side

REPLICA_SYMMETRY = Assumption("replica_symmetry", "all replicas of the learner are alike; the replicon says where that is unstable")


@dataclass(frozen=True)
class Predictor:
    """The field with which a learner predicts: its variance and its covariance with the teacher's."""

    variance: sp.Expr
    covariance: sp.Expr


@dataclass(frozen=True)
class Sampled:
    """What an average over a new sample needs: the learner's model, the lowering of averages, the teacher's length."""

    model: StaticModel
    closing: Closing
    rho: sp.Expr

    @property
    def teacher(self) -> bool:
        return self.model.laws.prior is not None


def on_new_sample(draft: Draft | Sampled, predictor: Predictor, body) -> sp.Expr:
    """E body(y, h) over a new sample: h the predictor's field, y the label given the teacher's."""
    h, y = sp.Dummy("h", real=True), draft.closing.label
    slope = predictor.covariance / predictor.variance
    tilt = Leaf(TEACHER, Side.ENERGETIC, slope * h, draft.rho - slope * predictor.covariance, 0, (y,))
    measures = (Gauss([h], [0], [[predictor.variance]]), Flat(y, -sp.oo, sp.oo))
    return draft.closing.energetic(Tilted(body(y, h), tilt, measures, normalised=True))


def prediction(draft: Draft | Sampled, predictor: Predictor) -> dict[str, sp.Expr]:
    """Generalisation error for sign labels, mean squared error for real ones, cosine with the teacher."""
    if not draft.teacher:
        return {}
    found: dict[str, sp.Expr] = {"overlap": predictor.covariance / sp.sqrt(draft.rho * predictor.variance)}
    channel = draft.model.laws.channel
    if channel is None:
        return found  # the truth is seen through couplings, not labels
    labels = channel.labels()
    if labels == SIGNS:
        found["generalization_error"] = on_new_sample(draft, predictor, lambda y, h: sp.Heaviside(-y * h, sp.Rational(1, 2)))
    elif isinstance(labels, RealLabels) and (draft.model.protocol != "bayes" or _is_location_family(channel)):
        found["mse"] = on_new_sample(draft, predictor, lambda y, h: (y - h) ** 2)
    return found


def _is_location_family(channel) -> bool:
    """Whether the label is the field plus independent symmetric noise, so that the posterior mean of the field predicts it."""
    y, z = sp.Dummy("y", real=True), sp.Dummy("z", real=True)
    density = channel.density(y, z)
    if density is None:
        rule = channel.map(z, sp.Dummy("xi", real=True))
        return rule is not None and sp.expand(rule - z) == 0
    noise = sp.expand(density.xreplace({y: y + z}), deep=True)
    return z not in noise.free_symbols and sp.expand(noise - noise.xreplace({y: -y})) == 0


def replicon(draft: Draft, output: sp.Expr, inputs: sp.Expr) -> sp.Expr:
    """1 - alpha E[(dg/dh)^2] E[(d<w>/dh)^2]; negative where replica symmetry is unstable.

    Source: de Almeida & Thouless, J. Phys. A 11 (1978) 983, in the form of one product per side.
    """
    return 1 - draft.model.alpha * output * inputs


def squared(expression: sp.Expr) -> sp.Expr:
    """The average of a slope, with the slope squared inside."""
    coefficient, rest = expression.as_independent(Tilted, as_Add=False)
    assert isinstance(rest, Tilted)
    return with_body(rest, (coefficient * rest.body) ** 2)


def with_body(expression: sp.Expr, body: sp.Expr) -> sp.Expr:
    """The same average of something else."""
    node = expression if isinstance(expression, Tilted) else next(iter(expression.atoms(Tilted)))
    return Tilted(body, node.exponent, node.measures, normalised=node.normalised)
