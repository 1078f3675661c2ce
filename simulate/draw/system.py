"""One finite system from an expanded spec."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from replica.clauses import Clauses
from replica.disorder import Disorder
from simulate.draw.cells import inputs_of, labels_of, teacher_of
from simulate.draw.coordinates import blocks_of
from simulate.draw.latents import draw_latents
from simulate.draw.numbers import bound, number
from simulate.draw.seeds import generator
from simulate.instance import Instance, Unsupported

LARGEST = 2**26
"""Most entries of an array of couplings."""


def draw(spec: Any, at: Mapping[str, float], d: int, seed: int, rng: np.random.Generator | None = None) -> Instance:
    """A system of d coordinates.

    Args:
        spec: an expanded spec; of a slice with a selection the whole pool is drawn (see `simulate.draw.selection`).
        at: value of every control.
        seed: number of the system; with `rng` absent the generator follows from (fingerprint, at, d, seed).

    Raises:
        Unsupported: a law, shape or label that has no finite system yet.
    """
    rng = generator(spec.fingerprint, at, d, seed) if rng is None else rng
    truth = draw_latents(spec, at, d, rng)
    blocks = blocks_of(spec, at, d)
    if is_disorder(spec):
        return Instance(spec, dict(at), d, seed, {"J": _couplings(spec, at, d, truth, rng)}, truth)
    if is_formula(spec):
        return Instance(spec, dict(at), d, seed, _clauses(spec, at, d, rng), truth)
    xs, ys, which = [], [], []
    cells: list[tuple[str, str]] = []
    for slice_name, part in spec.slices.items():
        if blocks and (spread := bound(part.law, at).variances(d)) is not None and np.ptp(spread) > 0:
            raise Unsupported(f"slice.{slice_name}: a spectrum beside blocks does not say which block has which eigenvectors")
        n = samples(part, at, d)
        shares = np.array([1.0 if g.share is None else number(g.share, at) for g in part.groups.values()])
        counts = rng.multinomial(n, shares / shares.sum())
        for (group_name, group), count in zip(part.groups.items(), counts, strict=True):
            inputs = inputs_of(group, part.law, truth, at, int(count), d, rng, blocks)
            teacher = teacher_of(group.label, truth)
            fields = None if teacher is None else inputs.field(truth[teacher])
            xs.append(inputs.seen)
            ys.append(labels_of(group.label, fields, at, int(count), rng))
            which.append(np.full(count, len(cells)))
            cells.append((slice_name, group_name))
    x = xs[0] if len(xs) == 1 else np.concatenate(xs)
    arrays = {"x": x, "y": np.concatenate(ys), "cell": np.concatenate(which)}
    return Instance(spec, dict(at), d, seed, arrays, truth, tuple(cells), blocks)


def is_disorder(spec: Any) -> bool:
    """Whether the data is one disordered object, a law of couplings between weights, and not samples."""
    return any(isinstance(part.law, Disorder) for part in spec.slices.values())


def is_formula(spec: Any) -> bool:
    """Whether the data are clauses on the signs of the weights, and not samples."""
    return any(isinstance(part.law, Clauses) for part in spec.slices.values())


def _clauses(spec: Any, at: Mapping[str, float], d: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    if len(spec.slices) > 1:
        raise Unsupported(f"clauses in {len(spec.slices)} slices cannot be simulated yet, in one they can")
    (part,) = spec.slices.values()
    try:
        literal, clause = bound(part.law, at).formula(rng, samples(part, at, d), d)
    except ValueError as error:
        raise Unsupported(str(error)) from None
    return {"literal": literal, "clause": clause}


def _couplings(spec: Any, at: Mapping[str, float], d: int, truth: Mapping[str, np.ndarray], rng: np.random.Generator) -> np.ndarray:
    if len(spec.slices) > 1:
        raise Unsupported(f"couplings between weights in {len(spec.slices)} slices cannot be simulated yet, one can")
    law = bound(next(iter(spec.slices.values())).law, at)
    p = law.order()
    if d**p > LARGEST:
        raise Unsupported(f"couplings between {p} of {d} weights are too many ({d}**{p}, at most {LARGEST})")
    return law.couplings(rng, d, truth)


def samples(part: Any, at: Mapping[str, float], d: int) -> int:
    """Number of samples of a slice: `samples`, or alpha d rounded."""
    if part.samples is not None:
        return int(number(part.samples, at))
    alpha = number("alpha" if part.alpha is None else part.alpha, at)
    if not np.isfinite(alpha):
        raise Unsupported("alpha = inf has no finite system")
    return max(1, round(alpha * d))
