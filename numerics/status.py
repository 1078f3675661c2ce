"""How a solve ended: one enum, and its value is the sentence the user reads."""

from __future__ import annotations

from enum import Enum


class Status(Enum):
    CONVERGED = "converged"
    LIMITED = (
        "converged as far as rounding allows, which is less than asked for (see the quadrature error): "
        "a marginal point, a fold or a capacity is near"
    )
    AT_END = (
        "an unknown ran to the end of its domain; the values are those of the limit, to within the quadrature error, "
        "and inf where there is none"
    )
    NON_FINITE = "an equation is not finite at the point reached; is the start outside the physical domain?"
    LEFT_DOMAIN = "every step tried leaves the physical domain; start nearer to the solution"
    MAX_STEPS = "step limit reached before the residual was below tolerance; start nearer to the solution"
    QUADRATURE = (
        "the quadrature error stays above tolerance at the largest number of nodes (loosen tol), "
        "or the mass of an average lies further out than nodes reach"
    )
    STALLED = "the residual stays above tolerance and above its rounding error; a fold or a marginal point may be near"
    SINGULAR = "the Jacobian is singular: a fold or a marginal point"
    DIVERGED = "the trajectory diverges; the last good state and its time are kept, try a smaller learning rate"
    RUNNING = "still moving after the steps asked for; the values are the state reached then"
    OUTSIDE = "the recursion leaves the physical domain; damping may keep it inside"
    EXHAUSTED = (
        "no solution was reached within the evaluations of integrands that a point is given; "
        "start nearer to one, ask for less (tol), or give a nearby value of a control"
    )
    # what Python alone finds out
    LOST = "the branch of solutions ends or is lost on the way here; its last good point is kept"
    UNMET = "the condition of a control that is solved for is not met where solutions reach; the solution at its starting value is kept"

    @property
    def ok(self) -> bool:
        """Whether the numbers that come with it are a result."""
        return self in (Status.CONVERGED, Status.LIMITED, Status.AT_END, Status.RUNNING)

    def __str__(self) -> str:
        return self.value


# What the compiled solver returns; CAPACITY asks its caller for larger buffers and is never shown.
CODES = tuple(Status)
(
    CONVERGED, LIMITED, AT_END, NON_FINITE, LEFT_DOMAIN, MAX_STEPS, QUADRATURE, STALLED, SINGULAR, DIVERGED, RUNNING, OUTSIDE, EXHAUSTED,
) = range(CODES.index(Status.LOST))
CAPACITY = -1
