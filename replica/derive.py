"""From a spec to its theory: the family that is responsible derives it."""

from __future__ import annotations

from typing import Any

from replica.families import recursion, static
from replica.families.model import Underivable
from replica.families.online import equations as online
from replica.theory import Theory

__all__ = ["Underivable", "derive"]


def derive(spec: Any, learner: str | None = None) -> Theory:
    """The theory of a learner (the only one, if not named) of a `Spec`.

    Raises:
        Underivable: one line that says which part of the spec has no theory, and what is built.

    Example:
        >>> from replica.spec import load
        >>> theory = derive(load("logistic_sign"))
        >>> [u.name for u in theory.system.unknowns]
        ['m', 'q', 'chi', 'm_hat', 'q_hat', 'chi_hat']
    """
    if recursion.is_message_passing(spec.expand(), learner):
        return recursion.derive(spec, learner)
    if online.is_one_pass(spec.expand(), learner):
        return online.derive(spec, learner)
    return static.derive(spec, learner)
