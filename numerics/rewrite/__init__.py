"""Theory to Program: averages become weighted sums over loops, split where they are not smooth."""

from __future__ import annotations

from numerics.program import Program
from numerics.rewrite.averages import Rewriter
from numerics.rewrite.errors import RewriteError
from numerics.rewrite.facts import Facts
from numerics.rewrite.features import features
from numerics.rewrite.loops import Loops
from numerics.rewrite.pieces import Context
from numerics.rewrite.tilt import REACH
from replica.theory import Recursion, Theory

__all__ = ["RewriteError", "rewrite"]


def rewrite(theory: Theory, reach: float = REACH) -> Program:
    """The loop form of a theory.

    Windows hold `reach` standard deviations of a Gaussian on either side.  `values` holds free_entropy, the order
    parameters, the conjugates and the observables under their names.

    Raises:
        RewriteError: an average has no loop form, e.g. the proximal point of a loss whose shape changes with its parameters.
    """
    context = Context(Facts(theory), Loops(), reach)
    rewriter = Rewriter(context)
    named = {"free_entropy": theory.free_entropy, **theory.order_parameters, **theory.conjugates, **theory.observables}
    count = len(theory.system.equations)
    done = context.loops.release([rewriter.expression(e) for e in (*theory.system.equations, *named.values())])
    loops = context.loops.used(done)
    return Program(
        unknowns=tuple(x.symbol for x in theory.system.unknowns),
        controls=tuple(c.symbol for c in theory.controls),
        equations=tuple(done[:count]),
        values=dict(zip(named, done[count:], strict=True)),
        loops=loops,
        constraints=theory.system.constraints,
        features=features(loops, done),
        iterated=isinstance(theory.system, Recursion),
    )
