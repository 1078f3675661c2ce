"""What an ensemble is: a lone learner written out as several, joined to each other."""

from __future__ import annotations

from dataclasses import dataclass

from replica.ingredients import Ingredient, Value


@dataclass(frozen=True)
class Tie:
    """A coupling to another part: the imposed overlap w.w_to/d, or a log-weight in w and w_TO of every coordinate."""

    to: str
    overlap: Value | None = None
    log_weight: str | None = None


@dataclass(frozen=True)
class Part:
    """A learner of the ensemble: the lone learner, with what is said here.

    Args:
        name: how other tables call it.
        ties: couplings to parts that stand before it.
        copies: number of its real replicas.
        solves: whether it reads the samples; one that does not only gathers others.
        stage: the stage that trains it, in the order in which stages are named; empty: all parts train together.
    """

    name: str
    ties: tuple[Tie, ...] = ()
    copies: Value | None = None
    solves: bool = True
    stage: str = ""


class Ensemble(Ingredient):
    """A way to write several learners as one."""

    slot = "ensemble"

    def parts(self) -> tuple[Part, ...]:
        """The learners it stands for."""
        raise self._not_built()
