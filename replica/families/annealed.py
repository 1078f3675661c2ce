"""The annealed average of a storage problem: log E Z, one replica averaged together with the disorder.

It bounds the quenched free entropy from above (Jensen), and is exact where the first moment is not dominated by rare
samples, as in the symmetric binary perceptron.
"""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from replica.families import rs
from replica.families.lengths import imposed_norm, log_states
from replica.families.model import STUDENT, LocalLaws, Underivable
from replica.families.reading import StaticModel
from replica.families.rs import replica_symmetric
from replica.families.story import GAUSSIAN_FIELDS
from replica.law import log_leaf, log_sum
from replica.passes.gauge import minimal
from replica.symbols import POSITIVE, REAL, OrderParameter
from replica.theory import Assumption, Start, Stationary, Step, Theory
from replica.tree import Leaf, Side

ANNEALED = Assumption(
    "annealed", "log E Z stands for E log Z: an upper bound on the free entropy, exact only where fluctuations of Z are harmless"
)


def theory(model: StaticModel) -> Theory:
    """Free entropy of one replica and its self-overlap."""
    if model.disorder is not None:
        raise Underivable(f"ansatz 'annealed' on the law '{model.disorder.kind}' has no theory yet; use 'rs'")
    if model.laws.prior is not None or model.protocol != "gibbs":
        raise Underivable("ansatz 'annealed' is built for storage problems of a Gibbs learner; with a teacher use 'rs'")
    system = replica_symmetric(False, replicas=sp.S.One, eps=None)
    Q, Q_hat = system.symbol(rs.Q_SELF), system.symbol(rs.Q_SELF, True)
    energetic = _one_leaf(minimal(system.energetic.log_integral(), system.student_field(Side.ENERGETIC), system.symbol(rs.Q)))
    entropic = _one_leaf(minimal(system.entropic.log_integral(), system.student_field(Side.ENTROPIC), system.symbol(rs.Q, True)))
    laws = model.laws
    sample = log_sum([_labelled(laws, label, energetic) for label in (1, -1)])
    weight = log_leaf(laws.entropic(STUDENT), entropic.h, entropic.A, Side.ENTROPIC)
    norm = imposed_norm(laws)
    trace = system.tree.trace()
    if norm is not None:
        unknowns: tuple[OrderParameter, ...] = (OrderParameter(Q, "self-overlap, imposed by the prior", POSITIVE),)
        equations: tuple[sp.Expr, ...] = (norm,)
        start: dict[sp.Symbol, sp.Expr] = {Q: norm}
        trace, weight = sp.S.Zero, weight.xreplace({Q_hat: sp.S.Zero})
        conjugates = {}
    else:
        unknowns = (OrderParameter(Q, "self-overlap", POSITIVE), OrderParameter(Q_hat, "conjugate of Q", REAL))
        equations = (2 * weight.diff(Q_hat), 2 * model.alpha * sample.diff(Q))
        start = {Q: sp.S.One, Q_hat: sp.Rational(-1, 10)}
        conjugates = {"Q_hat": Q_hat}
    terms = {"trace": -trace, "entropic": weight, "energetic": model.alpha * sample}
    free_entropy = sp.Add(*terms.values())
    observables = {"entropy": free_entropy + log_states(laws)} if laws.beta == sp.oo else {}
    found = Theory(
        name="",
        fingerprint="",
        controls=model.controls,
        system=Stationary(unknowns, equations, starts=(Start("uninformed", start),)),
        order_parameters={"Q": Q},
        conjugates=conjugates,
        free_entropy=free_entropy,
        observables=observables,
        terms=terms,
        assumptions=(ANNEALED, GAUSSIAN_FIELDS),
    )
    return replace(found, trail=_trail(found))


def _one_leaf(expression: sp.Expr) -> Leaf:
    (leaf,) = expression.atoms(Leaf)
    return leaf


def _labelled(laws: LocalLaws, label: int, leaf: Leaf) -> sp.Expr:
    """log of half the probability weight of one sample with this label."""
    return -sp.log(2) + log_leaf(laws.student_law(sp.Integer(label)), leaf.h, leaf.A, Side.ENERGETIC)


def _trail(theory: Theory) -> tuple[Step, ...]:
    terms = tuple(sp.Eq(sp.Symbol(name), value, evaluate=False) for name, value in theory.terms.items())
    return (
        Step("Annealed average", "Z is averaged over samples and labels before the logarithm is taken; one replica is left", (), ANNEALED),
        Step("One field", "the field of a sample is Gaussian with variance Q", (), GAUSSIAN_FIELDS),
        Step("Free entropy", "trace, one weight, and alpha times one sample", terms),
    )
