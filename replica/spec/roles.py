"""What laws and protocols ask of the tables around them, by kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from replica.spec.learners import Learner
from replica.spec.tables import Slice

NO_SAMPLES = frozenset({"hopfield", "pspin", "spiked", "pairwise"})
"""Laws of one disordered object, which has no samples to count."""
OWN_ENERGY = frozenset({"hopfield", "pspin", "sat", "spiked"})
"""Laws that are an energy of the weights themselves, so that their learners take no loss."""
WHOLE = frozenset({"dataset"})
"""Laws that come with all their samples when no number is given."""
DISCRETE = frozenset({"tree", "layered_paths", "tokens", "dataset", "sat"})
"""Laws without the high-dimensional vectors of the replica method."""
WITH_REPLICAS = frozenset({"bayes", "gibbs", "erm", "amp"})
TIMED = frozenset({"online_sgd", "gradient_flow", "sgd"})
"""Protocols that run for a time, which a stage may give."""


def kind(ingredient: Any) -> str:
    """The kind of an ingredient, empty where there is none."""
    return "" if ingredient is None else str(ingredient.kind)


def slices_of(names: tuple[str, ...], slices: Mapping[str, Slice]) -> tuple[str, ...]:
    """The slices that a list of slices and groups touches."""
    direct = {name for name in names if name in slices}
    return tuple(name for name, part in slices.items() if name in direct or any(group in names for group in part.groups or {}))


def seen(learner: Learner, slices: Mapping[str, Slice]) -> tuple[Slice, ...]:
    """The slices from which a learner learns."""
    names = slices_of(tuple(learner.on), slices) if learner.on is not None else tuple(slices)
    return tuple(slices[name] for name in names)


def own_energy(learner: Learner, slices: Mapping[str, Slice]) -> bool:
    """Whether the law brings the energy along."""
    laws = [kind(part.law) for part in seen(learner, slices)]
    return bool(laws) and all(law in OWN_ENERGY for law in laws)


def bayes_optimal(learner: Learner, protocol: Any) -> bool:
    """Whether a learner with this protocol knows the laws that its data come from, and has a theory."""
    knows = kind(protocol) == "bayes" or kind(protocol) == "amp" and learner.loss is None
    return knows and learner.believes is None and learner.theory is None


def corrupted(part: Slice) -> bool:
    return any(group.corruption is not None for group in part.groups.values())


def replicas(learners: Mapping[str, Learner], slices: Mapping[str, Slice]) -> bool:
    """Whether some learner's theory is an average over replicas, so that an ansatz has a meaning."""
    return any(_replicated(learner, slices) for learner in learners.values())


def _replicated(learner: Learner, slices: Mapping[str, Slice]) -> bool:
    if learner.theory is not None or kind(learner.protocol) not in WITH_REPLICAS or kind(learner.network) == "deep_linear":
        return False
    parts = seen(learner, slices)
    return not any(kind(part.law) in DISCRETE or corrupted(part) for part in parts)
