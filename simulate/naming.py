"""Names of measured quantities, which are those of theories.  The one place that makes them.

A learner trained in several stages is one vector per stage, `learner@stage`.  With one vector and one latent the overlaps are `q` and `m`,
else `q[a,b]` and `m[a,latent]`; `a@block` restricts to the coordinates of a block.  All overlaps are means over the coordinates they run
over: d of them, p on p features, the size of the block.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


def vector(spec: Any, learner: str, stage: str) -> str:
    """The name of the weights of a learner after a stage."""
    times = sum(learner in (getattr(one, "learners", None) or spec.learners) for one in spec.stages)
    return learner if times <= 1 else f"{learner}@{stage}"


def vectors(spec: Any) -> tuple[str, ...]:
    """The names of all trained weights, in the order of training."""
    return tuple(
        vector(spec, name, getattr(stage, "name", ""))
        for stage in spec.stages
        for name in getattr(stage, "learners", None) or spec.learners
    )


def learner_of(name: str) -> str:
    """The learner of a vector."""
    return name.partition("@")[0]


def last(names: Sequence[str], learner: str) -> str | None:
    """The vector of a learner after its last stage, among these names in the order of training."""
    return next((name for name in reversed(names) if learner_of(name) == learner or name == learner), None)


def with_vector(spec: Any, found: Mapping[str, float]) -> dict[str, float]:
    """Results of a theory, which names no vector where it knows only one, under the names of runs that train others too as well."""
    known = [name for name in vectors(spec) if getattr(spec.learners[learner_of(name)], "theory", None) != "none"]
    if len(known) != 1 or len(vectors(spec)) == 1:
        return dict(found)
    (own,) = known
    plain = {name: value for name, value in found.items() if "[" not in name}
    return {**found, **{f"q[{own},{own}]" if name == "q" else f"{name}[{own}]": value for name, value in plain.items()}}


@dataclass(frozen=True)
class Naming:
    """The names of one spec.

    Args:
        vectors: names of trained weights.
        latents: names of latents that are vectors.
    """

    vectors: tuple[str, ...]
    latents: tuple[str, ...]

    def q(self, a: str, b: str | None = None, block: str = "") -> str:
        """Overlap of two trained vectors, of one with itself if `b` is absent."""
        if len(self.vectors) > 1:
            return f"q[{_in(a, block)},{_in(b or a, block)}]"
        return f"q[{_in(a, block)}]" if block else "q"

    def m(self, a: str, latent: str, block: str = "") -> str:
        """Overlap of a trained vector with a latent."""
        if len(self.vectors) > 1 or len(self.latents) > 1 or block:
            return f"m[{_in(a, block)},{latent}]"
        return "m"

    def of(self, word: str, a: str, block: str = "") -> str:
        """Any other quantity of one learner: Q, bias, generalization_error, ..."""
        return f"{word}[{_in(a, block)}]" if len(self.vectors) > 1 or block else word


def _in(name: str, block: str) -> str:
    return f"{name}@{block}" if block else name
