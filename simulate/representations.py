"""What learners make of their inputs: alignment of two networks layer by layer, and how an output varies over the hypercube."""

from __future__ import annotations

import numpy as np

from simulate.draw.cells import inputs_of
from simulate.draw.fresh import weights
from simulate.instance import Instance
from simulate.learn.estimate import Estimate

_COMPARED = 2000  # inputs on which two networks are compared
_VARIED, _ROUNDS = 10_000, 2000  # inputs over which the variance of an output is taken, and most at which coordinates are flipped
_FLIPPED, _HELD = 5 * 10**6, 10**6  # hidden units that are flipped in all, and at once


def alignment(instance: Instance, a: Estimate, b: Estimate, depth: int, rng: np.random.Generator) -> float | None:
    """Linear centered kernel alignment |A^T B|^2/(|A^T A| |B^T B|) of two networks' activations at a layer, 0 being the inputs."""
    cells = [(key, weight) for key, weight in weights(instance) if weight > 0]
    total = sum(weight for _, weight in cells)
    xs = []
    for (part, group), weight in cells:
        law, count = instance.spec.slices[part], round(_COMPARED * weight / total)
        xs.append(inputs_of(law.groups[group], law.law, instance.truth, instance.at, count, instance.size, rng, instance.blocks).seen)
    x = np.concatenate(xs)
    seen = []
    for one in (a, b):
        if depth > (0 if one.layers is None else len(one.layers.maps)):
            return None
        phi = x if depth == 0 or one.layers is None else one.layers.up_to(depth)(x)
        seen.append(phi - phi.mean(axis=0))
    u, v = seen
    return float(np.sum((u.T @ v) ** 2) / np.sqrt(np.sum((u.T @ u) ** 2) * np.sum((v.T @ v) ** 2)))


def boolean_mean_dimension(estimate: Estimate, d: int, rng: np.random.Generator) -> float:
    """sum_i E (f(x) - f(x with x_i flipped))^2 / (4 Var f) of a learner's output f over x uniform on {-1, 1}^d, from samples.

    A flip moves the fields of the first layer by one column of it, so no input is sent through it again.
    """
    x = rng.choice([-1.0, 1.0], size=(_VARIED, d))
    variance = float(np.var(estimate.field(x)))
    layers = estimate.layers
    if layers is None:
        return float(np.mean(estimate.mean**2)) / variance
    width, influence = len(layers.maps[0]), 0.0
    flips = max(1, min(d, _HELD // width))
    rounds = min(_ROUNDS, max(1, _FLIPPED // (flips * width)))
    for sample in x[:rounds]:
        chosen = rng.permutation(d)[:flips]
        fields = layers.first(sample[None])
        moved = fields - 2 * sample[chosen, None] * layers.maps[0][:, chosen].T / np.sqrt(d)
        change = estimate.read(layers.after(moved)) - estimate.read(layers.after(fields))
        influence += d * float(np.mean(change**2)) / 4 / rounds
    return influence / variance
