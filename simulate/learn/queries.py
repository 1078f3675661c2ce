"""Labels asked for a few at a time: a committee drawn from the weights that agree with all labels so far ranks the rest of the pool.

Only labels that were asked for are read.  Members that a new label contradicts are replaced by copies of others, and all move on by
jumps and flights (see `hit_and_run`); what is learned in the end is sampled from scratch on the samples asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from simulate.draw import generator
from simulate.draw.selection import budget_of, chosen
from simulate.instance import Instance, Unsupported
from simulate.learn import hit_and_run
from simulate.learn.estimate import Outcome
from simulate.learn.target import target_of

MEMBERS, ROUNDS = 16, 50
"""Members of a committee; rounds in which the budget is spent."""
FLIGHTS = 2  # of a member between two rounds

Score = Callable[[np.ndarray], np.ndarray]
"""(members, samples) fields -> how sure the committee is of each sample; the least sure are asked for."""


def solve(instances: Sequence[Instance], device: str, score: Score) -> list[Outcome]:
    """Samples of the weights that agree with the labels asked for.

    Raises:
        Unsupported: as `hit_and_run.solve`; a spec without a pool.
    """
    spec = instances[0].spec
    if not any(part.selection is not None for part in spec.slices.values()):
        raise Unsupported("labels are asked for from a pool; the spec has no data.selection")
    if len(spec.learners) != 1:
        raise Unsupported(f"{len(spec.learners)} learners cannot ask for labels, one can")
    kept = [chosen(instance, asked(instance, score)) for instance in instances]
    return hit_and_run.solve(kept, device)


def asked(instance: Instance, score: Score) -> np.ndarray:
    """Places of the samples that are asked for, in that order."""
    (learner,) = instance.spec.learners.values()
    d, count, margin = instance.size, budget_of(instance.spec, instance.at, instance.size), hit_and_run.margin_of(instance, learner)
    rng = generator(instance.spec.fingerprint, instance.at, d, instance.seed, "queries")
    fields = instance.arrays["x"] / np.sqrt(d)
    members = np.asarray(target_of(instance, learner).prior.sample(rng, (MEMBERS, d)), float)
    left, found = np.arange(len(fields)), np.empty(0, dtype=np.int64)
    while len(found) < count:
        step = min(max(1, -(-count // ROUNDS)), count - len(found))
        least = np.argsort(score(members @ fields[left].T), kind="stable")[:step]
        found, left = np.concatenate([found, left[least]]), np.delete(left, least)
        rows = instance.arrays["y"][found, None] * fields[found]
        members = _moved(rows, margin, members, rng)
    return found


def _moved(rows: np.ndarray, margin: float, members: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    agree = np.all(members @ rows.T >= margin, axis=1)
    if not agree.any():
        one = hit_and_run.find(rows, margin, members[0].copy())
        if one is None:
            raise Unsupported(f"no weights with all margins above {margin:g} were found for the labels asked for")
        members, agree = one[None], np.array([True])
    good = members[agree]
    members = np.concatenate([good, good[rng.integers(len(good), size=MEMBERS - len(good))]])
    gram = rows @ rows.T
    for member in members:
        hit_and_run.move(rows, gram, margin, member, FLIGHTS, rng)
    return members
