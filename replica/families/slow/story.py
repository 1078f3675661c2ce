"""The trail of a slow flow, and what it rests on."""

from __future__ import annotations

import sympy as sp

from replica.families.slow import names as nm
from replica.families.slow.law import Law
from replica.families.slow.reading import SlowModel
from replica.theory import Assumption, Step

SMALL = Assumption(
    "small_step", "the rate is small at a fixed rate times steps: of its powers the lowest is kept in the force, the drift and the spread"
)
MANY = Assumption("many_samples", "the set of samples is so large that averages over it are those over its law, to O(d/samples)")
LONG = Assumption("long_passes", "weights relax within one pass over the samples, so that samples left over are not felt")


def assumptions(model: SlowModel) -> tuple[Assumption, ...]:
    """Every step taken without proof."""
    return (SMALL, *((MANY,) if model.finite else ()), *((LONG,) if model.finite and model.ordered else ()))


def story(model: SlowModel, law: Law) -> tuple[Step, ...]:
    """The steps of the derivation."""
    return (
        Step(
            "One step",
            "the loss c (y - z)^2/2 of z = v.W x has the gradient c u v_k x_i in W and c u (W x)_k in v, with u = z - y",
            (sp.Eq(sp.Symbol("c"), model.stiffness, evaluate=False),),
        ),
        Step(
            "Exact identity",
            "W_k.W_l - v_k v_l does not change in first order in the rate; what one sample changes, X_k = (W x)_k, is",
            (sp.Eq(sp.Symbol("change"), imbalance(), evaluate=False),),
        ),
        Step(
            "Moments",
            "inputs and u are jointly Gaussian: e[b] is the squared error of the output's weights in block b, h its product with W; "
            "L is the mean loss and C the trace of the covariance of one sample's gradient",
            (
                *(sp.Eq(d.target, d.value, evaluate=False) for d in law.errors),
                sp.Eq(sp.Symbol("L"), law.loss, evaluate=False),
                sp.Eq(sp.Symbol("C"), law.scatter, evaluate=False),
            ),
        ),
        Step(
            "Slow motion",
            "fast fluctuations across the valley of minima, of variance proportional to the noise, push along it: weights descend "
            "L + rate/4 times the trace of the covariance of a step's gradient, C f_b/batch, where f_b = 1 - (batch - 1)/(samples - 1) "
            "without replacement and 1 otherwise",
            (sp.Eq(sp.Symbol("F"), sp.Symbol("L") + nm.eta * nm.part / (4 * nm.batch) * sp.Symbol("C"), evaluate=False),),
            SMALL,
        ),
        Step(
            "Slopes",
            "derivatives of F carried back from e and h to the products of weights",
            tuple(sp.Eq(d.target, d.value, evaluate=False) for d in law.slopes),
        ),
        Step(
            "Floor",
            "at a minimum the covariance of the gradient is a multiple of the Hessian, so that weights fluctuate by S in every direction "
            "in which the output changes and in no other; observables are averaged over that",
            (sp.Eq(nm.S, floor(model.stiffness), evaluate=False),),
            SMALL,
        ),
    )


def imbalance() -> sp.Expr:
    """What one step on one sample adds to W_k.W_l - v_k v_l, with s = c u."""
    w_k, w_l, v_k, v_l, x, x_k, x_l, s, square = sp.symbols("W_k W_l v_k v_l x X_k X_l s x_x", real=True)
    first = sp.expand((w_k - nm.eta * s * v_k * x) * (w_l - nm.eta * s * v_l * x))  # one coordinate; summed over all of them:
    first = first.subs({x**2: square}).subs({w_k * x: x_k, w_l * x: x_l})
    second = sp.expand((v_k - nm.eta * s * x_k) * (v_l - nm.eta * s * x_l))
    return sp.factor(sp.expand(first - w_k * w_l - (second - v_k * v_l)))


def floor(stiffness: sp.Expr) -> sp.Expr:
    """Variance of weights around a minimum, the same in every direction in which the output changes: 2 S H = rate Cov.

    Hessian and covariance are both multiples of J, the mean square of the output's gradient.
    """
    j = sp.Symbol("J", positive=True)
    covariance = nm.part / nm.batch * stiffness**2 * nm.noise * j
    (found,) = sp.solve(2 * nm.S * stiffness * j - nm.eta * covariance, nm.S)
    return found
