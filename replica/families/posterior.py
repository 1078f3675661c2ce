"""Bayes-optimal learner: teacher and student carry the same laws, and one overlap is left (Nishimori).

The unknown is the variance V = rho - q that is left to know, which keeps its digits where q -> rho.
"""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from replica.families import rs
from replica.families.declared import declared
from replica.families.draft import Draft
from replica.families.equations import increments
from replica.families.model import STUDENT
from replica.families.nishimori import nishimori
from replica.families.observables import Predictor, prediction, replicon, squared
from replica.families.story import GAUSSIAN_FIELDS, REPLICA_TRICK, gauge_step, steps
from replica.passes.gaussian import factored
from replica.symbols import POSITIVE, OrderParameter
from replica.theory import Assumption, Start, Stationary, Step, Theory

NISHIMORI = Assumption(
    "nishimori", "the learner knows the prior and the channel, so a draw from its posterior is distributed as the teacher"
)


def collapsed(found: Theory, steps: int) -> Theory:
    """The same theory as that of an ansatz with RSB levels, and why."""
    q = sp.Symbol("q", real=True)
    levels = tuple(sp.Eq(sp.Symbol(f"q{level}", real=True), q, evaluate=False) for level in range(steps + 1))
    text = (
        f"{steps}-step replica symmetry breaking was asked for: the overlap of two draws from the posterior is distributed as that of "
        "one draw with the teacher, which has one value; so all levels of the tree have the same overlap: replica symmetry"
    )
    return replace(found, trail=(*found.trail, Step("Collapse of the levels", text, levels, NISHIMORI)))


def theory(draft: Draft) -> Theory:
    """Equations for V = rho - q and q_hat, the free entropy, observables."""
    system, alpha, rho = draft.system, draft.model.alpha, draft.rho
    merged = nishimori(draft.opaque, system, rho)
    V = sp.Symbol("V", real=True)
    q, q_hat = system.symbol(rs.Q), system.symbol(rs.Q, True)
    chart = {q: rho - V}
    energetic = lambda e: draft.closing.energetic(e.xreplace(chart))  # noqa: E731
    entropic = draft.closing.entropic
    variance, curvature = increments(merged, system)
    terms = {
        "trace": -merged.trace.xreplace(chart),
        "entropic": entropic(merged.entropic),
        "energetic": alpha * energetic(merged.energetic),
    }
    observables = prediction(draft, Predictor(rho - V, rho - V))
    observables["estimation_mse"] = V
    observables |= declared(draft, Predictor(rho - V, rho - V), observables)
    slope = squared(curvature) if draft.model.disorder is None else system.energetic.squared_slope(STUDENT) / system.tree.coefficient(rs.n)
    observables["replicon"] = replicon(draft, energetic(slope), entropic(squared(variance)))
    unknowns = (
        OrderParameter(V, "what is left to know, rho - q: mean posterior variance of a weight", POSITIVE),
        OrderParameter(q_hat, "conjugate of q: signal to noise of a weight", POSITIVE),
    )
    starts = tuple(
        Start(name, {V: rho * (1 - share), q_hat: share / (rho * (1 - share))})
        for name, share in (("uninformed", sp.Rational(1, 1000)), ("informed", 1 - sp.Rational(1, 10**6)))
    )
    theory = Theory(
        name="",
        fingerprint="",
        controls=draft.model.controls,
        system=Stationary(
            unknowns,
            (entropic(variance), alpha * energetic(merged.outputs[q_hat])),
            constraints=(rho - V,),
            starts=starts,
        ),
        order_parameters={"q": rho - V},
        conjugates={"q_hat": q_hat},
        free_entropy=factored(sp.Add(*terms.values())),  # conjugates grow without bound where q -> rho: let them cancel
        observables=observables,
        terms=terms,
        assumptions=(NISHIMORI, REPLICA_TRICK, GAUSSIAN_FIELDS),
        scores=draft.closing.scores() if draft.model.disorder is None else None,
    )
    merged_step = Step(
        "Nishimori",
        "student and teacher carry the same laws, so their equations coincide once m = q; "
        "the student's length is the teacher's, its conjugate zero",
        (
            sp.Eq(system.symbol(rs.M), q, evaluate=False),
            sp.Eq(system.symbol(rs.Q_SELF), rho, evaluate=False),
            sp.Eq(system.symbol(rs.Q_SELF, True), 0, evaluate=False),
            sp.Eq(V, rho - q, evaluate=False),
        ),
        NISHIMORI,
    )
    return replace(theory, trail=steps(draft, theory, (*gauge_step(draft), merged_step)))
