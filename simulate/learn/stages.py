"""Learners trained by minimising an energy: several at once, one after another, on features, on parts of the data.

Stages run in order and later ones see what earlier ones left; learners of one stage that are coupled are minimised together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from replica.spec.causality import during
from simulate.draw import number
from simulate.draw.coordinates import inside
from simulate.instance import Instance, Unsupported
from simulate.learn import erm
from simulate.learn.energy import Term
from simulate.learn.estimate import Estimate, Outcome
from simulate.learn.features import Layers, random_features
from simulate.learn.joint import Design, Joint, Link, Pieces
from simulate.learn.networks import train
from simulate.learn.scalars import Scalar
from simulate.learn.terms import Piece, check, link_of, losses_of, penalty_of, sees, together
from simulate.learn.threads import side_by_side
from simulate.naming import last, vector

_NETWORKS = ("linear", "random_features", "head_of")
_NOTHING = Scalar(erm.ZERO, erm.Y, erm.Z)


def solve(instances: Sequence[Instance], device: str = "cpu", options: Mapping[str, float] | None = None) -> list[Outcome]:
    """Every learner of every stage, in the order of time.

    Raises:
        Unsupported: a learner that cannot be trained so, or an energy that is not convex.
    """
    spec = instances[0].spec
    if "x" not in instances[0].arrays:
        raise Unsupported("algorithm 'erm' needs samples; couplings between weights can be annealed or enumerated")
    if plain(spec):
        ((name, learner),) = spec.learners.items()
        return [Outcome({name: found}, failure=found.failure) for found in erm.train(instances, learner, device)]
    trained: list[dict[str, Estimate]] = [{} for _ in instances]
    extras: list[dict[str, float]] = [{} for _ in instances]
    for stage in spec.stages:
        names = list(getattr(stage, "learners", None) or spec.learners)
        deep = [name for name in names if getattr(spec.learners[name].network, "kind", "") == "mlp"]
        flat = [name for name in names if name not in deep]
        for name in names:
            protocol = during(spec.learners[name], stage, "protocol").kind
            check(spec.learners[name], name, protocol, *(("adam", ("mlp",)) if name in deep else ("erm", _NETWORKS)))
        results: list[dict[str, Estimate]] = [{} for _ in instances]
        for name in deep:
            for result, one in zip(results, train(instances, name, stage, trained, device), strict=True):
                result[name] = one
        if flat:
            minima = _each(instances, trained, stage, coupled(spec, stage, flat), device)
            for result, more, (estimates, energy) in zip(results, extras, minima, strict=True):
                result |= estimates
                more["energy" if len(spec.stages) == 1 else f"energy[{stage.name}]"] = energy
        for known, result in zip(trained, results, strict=True):
            known |= {vector(spec, name, getattr(stage, "name", "")): result[name] for name in names}
    failures = [next((one.failure for one in known.values() if one.failure), "") for known in trained]
    return [Outcome(known, more, failure) for known, more, failure in zip(trained, extras, failures, strict=True)]


def plain(spec: Any) -> bool:
    """Whether a spec is one linear weight vector on all samples, which is trained for many instances side by side."""
    if len(spec.learners) != 1 or len(spec.stages) > 1 or getattr(spec, "blocks", None):
        return False
    (learner,) = spec.learners.values()
    network = learner.network
    linear = network is None or network.kind == "linear" and not network.bias
    lists = [names for names in (getattr(learner, "on", None), getattr(spec.stages[0], "on", None)) if names]
    everything = all(set(spec.slices) <= set(names) for names in lists)
    return linear and everything and not learner.couple and not getattr(learner.loss, "weights", None)


def coupled(spec: Any, stage: Any, names: Sequence[str]) -> list[list[str]]:
    """Learners of a stage in sets that couplings join, each in the order of the spec."""
    root = {name: name for name in names}
    for name in names:
        for term in during(spec.learners[name], stage, "couple") or ():
            if together(spec, name, stage, str(term.to)):
                a, b = root[name], root[str(term.to)]
                root = {one: a if old == b else old for one, old in root.items()}
    return [[name for name in names if root[name] == first] for first in dict.fromkeys(root.values())]


def _each(
    instances: Sequence[Instance], trained: Sequence[Mapping[str, Estimate]], stage: Any, groups: Sequence[Sequence[str]], device: str
) -> list[tuple[dict[str, Estimate], float]]:
    """The estimates and the energy per input dimension of every instance after a stage; one core an instance."""

    def one(instance: Instance, known: Mapping[str, Estimate]) -> tuple[dict[str, Estimate], float]:
        found: dict[str, Estimate] = {}
        energy = 0.0
        for group in groups:
            estimates, value = _minimum(instance, group, stage, known, device)
            found |= estimates
            energy += value / instance.size
        return found, energy

    if device != "cpu":
        return [one(*pair) for pair in zip(instances, trained, strict=True)]
    return side_by_side(one, instances, trained)


class _Part:
    """One learner of a set that is minimised together: its samples, its coordinates, and its place among the weights of all."""

    def __init__(self, instance: Instance, name: str, stage: Any, trained: Mapping[str, Estimate], offset: int) -> None:
        self.learner, self.size = instance.spec.learners[name], instance.size
        self.layers = layers_of(instance, name, self.learner, trained)
        rows = sees(instance, self.learner, stage)
        x = instance.arrays["x"] if rows.all() else instance.arrays["x"][rows]
        self.where = None if self.layers is not None else inside(getattr(self.learner, "blocks", None), instance.blocks, self.size)
        if self.layers is not None:
            if getattr(self.learner, "blocks", None) and set(self.learner.blocks) != set(instance.blocks):
                raise Unsupported(f"learner '{name}': features of some blocks only cannot be trained yet")
            x = self.layers(x)
        elif self.where is not None and not self.where.all():
            x = x[:, self.where]
        self.weights = x.shape[1]
        self.dimension = self.size if self.layers is None else self.weights
        self.bias = bool(getattr(self.learner.network, "bias", False))
        self.x = np.column_stack([x, np.ones(len(x))]) if self.bias else x
        self.columns = slice(offset, offset + self.x.shape[1])
        self.losses = losses_of(instance, self.learner, stage, np.flatnonzero(rows), trained)
        self.penalty = penalty_of(instance, name, stage, self.where, trained, self.weights)

    @property
    def scale(self) -> float:
        return float(1 / np.sqrt(self.dimension))

    def penalties(self) -> list[Piece]:
        return [self.penalty, *([Piece(_NOTHING, (np.zeros(1),))] if self.bias else [])]

    def places(self, size: int) -> np.ndarray:
        """(d,) or (p,) places of the coordinates among the weights of all; `size` where the learner has none."""
        found = np.full(self.dimension, size)
        found[slice(None) if self.where is None else self.where] = self.columns.start + np.arange(self.weights)
        return found

    def begin(self, previous: Estimate | None) -> np.ndarray:
        if previous is None:
            return np.zeros(self.x.shape[1])
        w = previous.mean if self.where is None else previous.mean[self.where]
        return np.append(w, previous.bias / self.scale) if self.bias else w

    def estimate(self, w: np.ndarray, loss: float, wrong: float, status: tuple[float, str, int]) -> Estimate:
        mean = np.zeros(self.dimension)
        mean[slice(None) if self.where is None else self.where] = w[: self.weights]
        residual, failure, steps = status
        n = max(1, len(self.x))
        extras = {"training_loss": loss / n} | ({"training_error": wrong} if np.isfinite(wrong) else {})
        bias = float(w[-1]) * self.scale if self.bias else 0.0
        return Estimate(mean, residual=residual, failure=failure, steps=steps, extras=extras, bias=bias, layers=self.layers)


def layers_of(instance: Instance, name: str, learner: Any, trained: Mapping[str, Estimate]) -> Layers | None:
    """What stands between the inputs and the weights of a learner."""
    network = learner.network
    if network is None or network.kind == "linear":
        return None
    if network.kind == "random_features":
        return random_features(instance, name, network)
    source = trained[str(last(tuple(trained), network.learner))]
    layer = round(number(network.layer, instance.at))
    if source.layers is None or layer > len(source.layers.maps):
        has = 0 if source.layers is None else len(source.layers.maps)
        raise Unsupported(f"learner '{name}' reads layer {layer} of '{network.learner}', which has {has} hidden layers")
    return source.layers.up_to(layer)


def _minimum(
    instance: Instance, names: Sequence[str], stage: Any, trained: Mapping[str, Estimate], device: str
) -> tuple[dict[str, Estimate], float]:
    """Estimates of learners that are minimised together, and their energy, a sum and not per weight."""
    parts: dict[str, _Part] = {}
    size = 0
    for name in names:
        parts[name] = _Part(instance, name, stage, trained, size)
        size = parts[name].columns.stop
    samples = [piece for part in parts.values() for piece in part.losses]
    links = []
    for name, part in parts.items():
        for term in during(part.learner, stage, "couple") or ():
            if together(instance.spec, name, stage, str(term.to)):
                a, b = part.places(size), parts[str(term.to)].places(size)
                if len(a) != len(b):
                    raise Unsupported(f"learner '{name}' has {len(a)} coordinates and cannot be coupled to the {len(b)} of '{term.to}'")
                samples.append(link_of(instance, term, len(a)))
                links.append(Link(torch.as_tensor(a, device=device), torch.as_tensor(b, device=device)))
    penalties = [piece for part in parts.values() for piece in part.penalties()]
    with torch.inference_mode():
        designs = tuple(Design(torch.as_tensor(part.x, device=device), part.columns, part.scale) for part in parts.values())
        kinked = any(piece.scalar.kinks for piece in (*samples, *penalties))
        energy = Joint(_pieces(samples, device), _pieces(penalties, device), designs, tuple(links), size, kinked=kinked)
        previous = [_previous(instance.spec, name, stage, trained) for name in names]
        start = np.concatenate([part.begin(one) for part, one in zip(parts.values(), previous, strict=True)])
        w, residual, steps = erm.minimise(energy, torch.as_tensor(start[None], device=device))
        z = energy.fields(w)
        losses = energy.loss.exact(z)[0].cpu().numpy()
        total = float(losses.sum() + energy.penalty.exact(w).sum())
        fields = z[0].cpu().numpy()
    weights, rest = w[0].cpu().numpy(), float(residual[0])
    ok = rest <= erm.TOLERANCE and np.isfinite(total)
    failure = "" if ok else f"not at the optimum: residual {rest:.1e} after {steps} steps, allowed {erm.TOLERANCE:.0e}"
    found, begin = {}, 0
    for name, part in parts.items():
        end = begin + len(part.x)
        failure = failure if len(part.x) else f"'{name}' has no sample in stage '{getattr(stage, 'name', '')}'"
        y = np.concatenate([piece.data[0] for piece in part.losses]) if part.losses else np.zeros(0)
        signs = y.size > 0 and set(np.unique(y)) <= {-1.0, 1.0}
        wrong = float(np.mean(np.sign(fields[begin:end]) != y)) if signs else np.nan
        found[name] = part.estimate(weights[part.columns], float(losses[begin:end].sum()), wrong, (rest, failure, steps))
        begin = end
    return found, total


def _previous(spec: Any, name: str, stage: Any, trained: Mapping[str, Estimate]) -> Estimate | None:
    if getattr(stage, "start", None) != "previous":
        return None
    known = last(tuple(trained), name)
    return None if known is None else trained[known]


def _pieces(pieces: Sequence[Piece], device: str) -> Term:
    terms = [erm.term(piece.scalar, tuple(torch.as_tensor(column[None], device=device) for column in piece.data)) for piece in pieces]
    return Pieces(tuple(terms), tuple(len(piece.data[0]) for piece in pieces))
