"""Hidden units with weights of signs whose votes are to agree with labels: the perceptron is one unit, a committee has several."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from simulate.algorithms.parts.signs import levels_of, margin_of, refuse_levels, sign_constraints, signed_inputs
from simulate.draw import number
from simulate.instance import Instance, Unsupported


@njit(cache=True, nogil=True, fastmath={"contract", "reassoc", "nsz"})
def learn(patterns, batch, edge, needed, all_wrong, rate, weights, hidden):
    """Moves the hidden states of the units that wrong samples teach, in place; returns how many samples are wrong.

    Args:
        patterns: (n, d) inputs times labels; batch: some of their rows.
        edge: field from which on a unit votes right; needed: sum of votes, of -1 and 1, that a sample asks for.
        all_wrong: whether every unit that votes wrong learns, or only the fewest that turn the vote, those nearest to their edges.
        weights, hidden: (K, d); weights are as before the batch.
    """
    units, d = hidden.shape
    fields, wrong = np.empty(units), 0
    for row in batch:
        a, votes = patterns[row], 0
        for k in range(units):
            field, own = 0.0, weights[k]
            for i in range(d):
                field += own[i] * a[i]
            fields[k] = field
            votes += 1 if field >= edge else -1
        if votes >= needed:
            continue
        wrong += 1
        count = units if all_wrong else int(np.ceil((needed - votes) / 2))
        for k in np.argsort(-fields):
            if fields[k] < edge and count > 0:
                count -= 1
                moved = hidden[k]
                for i in range(d):
                    moved[i] += rate * a[i]
    return wrong


@njit(cache=True, nogil=True)
def attract(pull, copies_gamma, mean, weights, hidden):
    """Hidden states (m,) feel the center of the copies, whose mean weight is `mean`; in place, with the weights and the mean they give.

    Args:
        copies_gamma: gamma y, which saturates the center.
    """
    copies, m = hidden.shape
    for i in range(m):
        center, total = np.tanh(copies_gamma * mean[i]), 0.0
        for r in range(copies):
            hidden[r, i] += pull * (center - weights[r, i])
            weights[r, i] = 1.0 if hidden[r, i] >= 0 else -1.0
            total += weights[r, i]
        mean[i] = total / copies


@dataclass(frozen=True)
class Units:
    """y sum_k sign(w_k.x) >= needed, or y w.x >= edge of one unit, for every sample.

    Args:
        patterns: (n, d) inputs times labels; units: K; see `learn`.
    """

    patterns: np.ndarray
    units: int
    edge: float
    needed: float

    def violated(self, weights: np.ndarray) -> int:
        """How many samples weights (K, d) do not meet."""
        votes = np.where(self.patterns @ weights.T >= self.edge, 1, -1).sum(axis=1)
        return int(np.count_nonzero(votes < self.needed))


def units_of(instance: Instance) -> Units:
    """The units of one learner.

    Raises:
        Unsupported: another network than a perceptron or a committee of signs with a second layer of ones, or as for `sign_constraints`.
    """
    (network, *_) = [learner.network for learner in instance.spec.learners.values()]
    refuse_levels(levels_of(instance), "this search")
    if network is None or network.kind == "linear":
        one = sign_constraints(instance)
        return Units(one.patterns, 1, one.margin, 1)
    if network.kind != "committee" or network.activation.kind != "sign" or network.readout != "fixed":
        raise Unsupported("a perceptron, or a committee with activation 'sign' and a fixed readout, is needed")
    margin, _ = margin_of(instance)
    return Units(signed_inputs(instance), int(number(network.units, instance.at)), np.nextafter(0.0, 1.0), margin)
