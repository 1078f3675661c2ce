"""From a spec to its theory: the family that is responsible derives it."""

from __future__ import annotations

import importlib
from typing import Any

from replica.families import static
from replica.families.model import Underivable
from replica.protocols import AMP, SGD, OnlineSGD
from replica.theory import Theory

__all__ = ["Underivable", "derive"]
_MOVING = {AMP: "recursion", OnlineSGD: "online.equations", SGD: "slow.equations"}  # loaded when asked for


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
    learners = spec.expand().learners
    chosen = list(learners.values()) if learner is None else [learners[learner]] if learner in learners else []
    for protocol, family in _MOVING.items():
        if any(isinstance(one.protocol, protocol) for one in chosen):
            return importlib.import_module(f"replica.families.{family}").derive(spec, learner)
    return static.derive(spec, learner)
