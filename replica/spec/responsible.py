"""Which family of theories is responsible for a learner.  Decided from the spec alone; no proof that the derivation exists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from replica.spec.learners import Learner, Stage
from replica.spec.spec import Spec
from replica.spec.tables import Slice

VECTORS = frozenset({"gaussian", "iid", "covariance", "marchenko_pastur", "power_law", "hidden_manifold"})
FROZEN = frozenset({"linear", "random_features", "head_of"})
ENERGIES = frozenset({"bayes", "gibbs", "erm"})


@dataclass(frozen=True)
class Rule:
    """A row of the table.  An empty set allows everything; `corrupted` None allows both."""

    family: str
    system: str
    laws: frozenset[str]
    protocols: frozenset[str]
    networks: frozenset[str] = frozenset()
    corrupted: bool | None = None

    def fits(self, law: str, protocol: str, network: str, corrupted: bool) -> bool:
        parts = ((law, self.laws), (protocol, self.protocols), (network, self.networks))
        return all(not allowed or word in allowed for word, allowed in parts) and self.corrupted in (None, corrupted)


Words = str | frozenset[str]


def _rule(family: str, system: str, laws: Words, protocols: Words, networks: Words = "", corrupted: bool | None = None) -> Rule:
    law, protocol, network = (frozenset(part.split()) if isinstance(part, str) else part for part in (laws, protocols, networks))
    return Rule(family, system, law, protocol, network, corrupted)


RULES = (
    _rule("spectrum", "Stationary (complex)", VECTORS, "gradient_flow erm", "random_features", corrupted=True),
    _rule("exact posterior", "ClosedForm", VECTORS, "bayes", corrupted=True),
    _rule("complexity and bounds", "ClosedForm", VECTORS, "erm", "low_rank_factors"),
    _rule("static (replica tree)", "Stationary", VECTORS, ENERGIES, FROZEN),
    _rule("static (replica tree)", "Recursion", VECTORS, "amp", FROZEN),
    _rule("online", "Flow", VECTORS, "online_sgd", "linear committee"),
    _rule("spectrum", "Stationary (complex)", VECTORS, "gradient_flow", "random_features"),
    _rule("low rank", "Stationary", "pairwise spiked", "bayes gibbs amp"),
    _rule("static with pair disorder", "Stationary", "hopfield pspin", "gibbs erm"),
    _rule("inference on trees", "Recursion", "tree layered_paths", "bayes"),
    _rule("token tables", "Stationary", "tokens", "erm", "table"),
    _rule("slow manifold", "Flow", "", "sgd", "deep_linear"),
    _rule("federated fixed point", "ClosedForm", "", "federated", "linear"),
)


@dataclass(frozen=True)
class Responsible:
    """Who answers for one learner in one stage.

    Args:
        family, system: empty where the learner is only simulated or nobody is responsible.
        reason: why there is no theory; empty where there is one.
    """

    learner: str
    stage: str
    family: str = ""
    system: str = ""
    reason: str = ""


def responsible(spec: Spec) -> Iterator[Responsible]:
    """The family of every learner in every stage in which it learns, in the order of time.

    Args:
        spec: expanded or not.
    """
    spec = spec.expand()
    for stage in spec.stages:
        for name in stage.learners or spec.learners:
            yield _of(spec, name, spec.learners[name], stage)


def _of(spec: Spec, name: str, learner: Learner, stage: Stage) -> Responsible:
    if learner.theory == "none":
        return Responsible(name, stage.name, reason=learner.reason or "declared without a theory")
    protocol = (stage.protocol or learner.protocol).kind
    network = learner.network.kind if learner.network is not None else "linear"
    slices = [part for key, part in spec.slices.items() if _seen(key, part, learner.on) and _seen(key, part, stage.on)]
    laws = {part.law.kind for part in slices if part.law is not None} or {"gaussian"}
    corrupted = any(cell.corruption is not None for part in slices for cell in (part.groups or {}).values())
    for rule in RULES:
        if all(rule.fits(law, protocol, network, corrupted) for law in laws):
            return Responsible(name, stage.name, rule.family, rule.system)
    return Responsible(name, stage.name, reason=f"no family for law {' '.join(sorted(laws))}, protocol {protocol}, network {network}")


def _seen(name: str, part: Slice, on: Any) -> bool:
    return not on or name in on or any(group in on for group in part.groups or {})
