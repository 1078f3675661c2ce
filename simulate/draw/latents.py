"""The fixed random vectors of a finite system: teachers, centroids, patterns, and the matrices of hidden manifolds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from simulate.draw.cells import teacher_of
from simulate.draw.coordinates import blocks_of, inside
from simulate.draw.numbers import bound, number
from simulate.instance import Unsupported

_NORMAL = ("gaussian", "spherical")  # priors whose vectors may have overlaps: their joint law follows from the Gram matrix


def draw_latents(spec: Any, at: Mapping[str, float], d: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Latent -> (k,) vector, or (k, d) matrix where it is the map of a hidden manifold.

    A vector that makes the labels of a hidden manifold has as many coordinates as the manifold has dimensions, any other d.

    Raises:
        Unsupported: a latent that no finite system has yet.
    """
    shapes = {name: _shape(spec, name, at, d) for name in spec.latents}
    blocks = blocks_of(spec, at, d)
    drawn: dict[str, np.ndarray] = {}
    for names in joined(spec.latents):
        for name in names:
            if (network := spec.latents[name].network) is not None and network.kind != "linear":
                raise Unsupported(f"latent.{name}.network '{network.kind}' cannot be simulated yet")
        if len(names) == 1:
            (name,) = names
            drawn[name] = np.asarray(bound(spec.latents[name].prior, at).sample(rng, shapes[name]), float)
            drawn[name][..., ~_present(spec, name, shapes[name], blocks, d)] = 0.0
        else:
            drawn |= correlated(spec, names, at, shapes, blocks, d, rng)
    truth = {name: drawn[name] for name in spec.latents}
    for name in truth:
        if (factor := _loading(spec, name, at, d)) is not None:
            truth[name] = truth[name] * np.sqrt(factor)
    return truth


def _present(spec: Any, name: str, shape: tuple[int, ...], blocks: Mapping[str, slice], d: int) -> np.ndarray:
    """(k,) coordinates on which a latent is not zero."""
    where = inside(getattr(spec.latents[name], "blocks", None) or None, blocks, d)
    if shape[-1] != d and not where.all():
        raise Unsupported(f"latent.{name}.blocks: blocks divide the {d} inputs, not the coordinates of a hidden manifold")
    return where if shape[-1] == d else np.ones(shape[-1], dtype=bool)


def _laws(spec: Any, at: Mapping[str, float]) -> list[tuple[Any, Any]]:
    return [(part, bound(part.law, at)) for part in spec.slices.values()]


def _teachers(spec: Any, part: Any) -> set[str | None]:
    return {teacher_of(group.label, spec.latents) for group in part.groups.values()}


def _centers(part: Any) -> set[str]:
    """Latents along which the groups of a slice have their means."""
    return {name for group in part.groups.values() for name in group.mean or {}}


def _shape(spec: Any, name: str, at: Mapping[str, float], d: int) -> tuple[int, ...]:
    latent = spec.latents[name]
    if latent.shape == "matrix":
        rows = {law.hidden(d) for _, law in _laws(spec, at) if name in law.maps()}
        if len(rows) != 1:
            raise Unsupported(f"latent.{name}: a matrix is the map of one kind of hidden manifold, found {len(rows)}")
        return rows.pop(), d
    sizes = {law.hidden(d) for part, law in _laws(spec, at) if name in _teachers(spec, part)}
    sizes |= {d for part in spec.slices.values() for group in part.groups.values() if name in (group.mean or {})}
    if len(sizes) > 1:
        raise Unsupported(f"latent.{name} acts on inputs and on a hidden manifold of another dimension ({sorted(sizes)})")
    return (sizes.pop() if sizes else d,)


def _loading(spec: Any, name: str, at: Mapping[str, float], d: int) -> np.ndarray | None:
    found = [law.loadings(d) for part, law in _laws(spec, at) if name in _teachers(spec, part) | _centers(part)]
    given = [one for one in found if one is not None]
    if given and (len(given) < len(found) or any(not np.array_equal(one, given[0]) for one in given)):
        raise Unsupported(f"latent.{name}: two slices give it different loadings")
    return given[0] if given else None


def joined(latents: Mapping[str, Any]) -> list[list[str]]:
    """Latents connected by overlaps, in the order of the file."""
    root = {name: name for name in latents}
    for name, latent in latents.items():
        for other in getattr(latent, "overlap", None) or {}:
            a, b = root[name], root[other]
            root = {one: a if old == b else old for one, old in root.items()}
    return [[name for name in latents if root[name] == group] for group in dict.fromkeys(root.values())]


def correlated(
    spec: Any,
    names: Sequence[str],
    at: Mapping[str, float],
    shapes: Mapping[str, tuple[int, ...]],
    blocks: Mapping[str, slice],
    d: int,
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    """Jointly Gaussian coordinates, independent of each other, with the declared overlaps as their covariance."""
    shape = shapes[names[0]]
    for name in names:
        if (kind := spec.latents[name].prior.kind) not in _NORMAL:
            raise Unsupported(
                f"latent.{name}: the overlap of a '{kind}' latent does not say its joint law ({' '.join(_NORMAL)} can be drawn)"
            )
        if shapes[name] != shape:
            raise Unsupported(f"latents {names[0]} and {name} overlap and have shapes {shape} and {shapes[name]}")
    priors = [bound(spec.latents[name].prior, at) for name in names]
    present = np.array([_present(spec, name, shape, blocks, d) for name in names])
    means, variances = np.array([_mean(p) for p in priors]), np.array([_variance(p) for p in priors])
    overlaps = _overlaps(spec, names, at)
    white = rng.standard_normal((len(names), *shape))
    drawn = np.zeros_like(white)
    patterns, which = np.unique(present, axis=1, return_inverse=True)  # coordinates where the same latents live
    for index, here in enumerate(patterns.T):
        covariance = np.diag(variances)
        for (i, j), value in overlaps.items():
            if here[i] and here[j]:
                covariance[i, j] = covariance[j, i] = value / np.mean(present[i] & present[j]) - means[i] * means[j]
        level, axes = np.linalg.eigh(covariance[np.ix_(here, here)])
        if level.size and level[0] < -1e-9:
            raise Unsupported(f"the overlaps of {' '.join(np.array(names)[here])} are impossible where all of them live")
        columns = which.reshape(-1) == index
        values = np.tensordot(axes * np.sqrt(np.maximum(level, 0.0)), white[here][..., columns], axes=1)
        part = np.zeros((len(names), *values.shape[1:]))
        part[here] = values + means[here].reshape(-1, *(1,) * len(shape))
        drawn[..., columns] = part
    for prior, vector, where in zip(priors, drawn, present, strict=True):
        if (norm := prior.pinned_norm()) is not None:
            vector *= np.sqrt(float(norm) / np.mean(vector[..., where] ** 2, axis=-1, keepdims=True))
    return dict(zip(names, drawn, strict=True))


def _overlaps(spec: Any, names: Sequence[str], at: Mapping[str, float]) -> dict[tuple[int, int], float]:
    index = {name: i for i, name in enumerate(names)}
    return {(index[name], index[other]): number(value, at) for name in names for other, value in (spec.latents[name].overlap or {}).items()}


def _mean(prior: Any) -> float:
    return prior.number(prior.mean) if prior.kind == "gaussian" else 0.0


def _variance(prior: Any) -> float:
    return prior.number(prior.variance) if prior.kind == "gaussian" else float(prior.pinned_norm())
