"""Draws from a law of which only the density or the probabilities are known.

A density is tabulated on cells that are moved, three times, to where its mass is, and its distribution function is inverted.  The
integral comes with the table, so a law that is not normalized is noticed here and not in a result.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from replica.labels import CountLabels, DiscreteLabels, Labels, RealLabels

Odds = Callable[[np.ndarray, np.ndarray], np.ndarray]

_FINE, _COARSE = 1024, 256  # points, for one law and for one of many: moments are off by about 1e-6 and 1e-5, far below a sample's error
_FINEST = 32768  # points, for a law that seems wrong
_ROWS = 512  # tables held at a time
_TOLERANCE = 1e-3  # of the integral of a density that was given as normalized
_FAR = 1e6  # mass beyond this, where the line is infinite, is a sign of an integral that diverges
_ROUNDING = 1e-12  # of the largest value: less than that below zero is no negative probability
_FIELDS = np.array([-2.93, -1.87, -0.61, 0.37, 1.13, 2.71])  # where the law of a label is looked at: off the places where rules jump
_MOST = 100_000  # counts looked through before a law of counts is called not normalized
_ADD_UP = "the probabilities of the labels add up to {:.6g} at z = {:.3g}, not to 1"


class NotNormalized(ValueError):
    """Probabilities that do not add up to one, or a density whose integral is not one."""


def draw_label(rng: np.random.Generator, z: np.ndarray, labels: Labels, law: Odds) -> np.ndarray:
    """One label for each field z, float64, of the shape of z.

    Args:
        law: probability or density of label y at field z; takes both as arrays that broadcast.

    Raises:
        NotNormalized: names the field and the sum found.
    """
    flat = z.reshape(-1)
    if isinstance(labels, DiscreteLabels):
        drawn = _discrete(rng, flat, np.array([float(atom) for atom in labels.atoms]), law)
    elif isinstance(labels, CountLabels):
        drawn = _counts(rng, flat, law)
    else:
        lower, upper = float(labels.lower), float(labels.upper)
        parts = [_real(rng, flat[i : i + _ROWS], lower, upper, law) for i in range(0, flat.size, _ROWS)]
        drawn = np.concatenate(parts) if parts else flat.copy()
    return drawn.reshape(z.shape)


def draw_weight(
    rng: np.random.Generator, shape: tuple[int, ...], lower: float, upper: float, density: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """Independent draws from a normalized density on [lower, upper]."""
    grid, cdf, total = _table(np.zeros(1), lower, upper, lambda w, _: density(w), _FINE)
    _check(total, np.zeros(1), "the density integrates to {:.6g}, not to 1")
    return np.interp(rng.random(shape), cdf[0], grid[0])


def mass(lower: float, upper: float, density: Callable[[np.ndarray], np.ndarray]) -> float:
    """Integral of a density over [lower, upper], to about 1e-5 for one without narrow distant peaks; inf or nan where it diverges."""
    return float(_table(np.zeros(1), lower, upper, lambda w, _: density(w), _FINE)[2][0])


def check_weight(lower: float, upper: float, density: Callable[[np.ndarray], np.ndarray]) -> None:
    """Refuse a density that is negative somewhere or does not integrate to one over [lower, upper], to about 1e-3.

    Raises:
        NotNormalized: says what it integrates to.
    """
    _check_density(np.zeros(1), lower, upper, lambda w, _: density(w), _FINE, "")


def check_label(labels: Labels, law: Odds) -> None:
    """Refuse a law of real or listed labels that is negative somewhere or whose mass is not one, at several fields in [-3, 3].

    Raises:
        NotNormalized: names the field and the mass found.
    """
    if isinstance(labels, RealLabels):
        _check_density(_FIELDS, float(labels.lower), float(labels.upper), law, _COARSE, " at z = {:.3g}")
    elif isinstance(labels, DiscreteLabels):
        atoms = np.array([float(atom) for atom in labels.atoms])
        odds = law(atoms[None, :], _FIELDS[:, None])
        if (odds < -_ROUNDING).any():
            row, column = np.argwhere(odds < -_ROUNDING)[0]
            raise NotNormalized(f"the probability of the label {atoms[column]:g} is {odds[row, column]:.6g} at z = {_FIELDS[row]:.3g}")
        _check(odds.sum(axis=1), _FIELDS, _ADD_UP, 1e-9)


def _check_density(z: np.ndarray, lower: float, upper: float, law: Odds, points: int, place: str) -> None:
    """A law whose mass seems wrong is looked at again, finely, before it is refused: a narrow peak may have been missed."""
    total = _table(z, lower, upper, law, points)[2]
    for field in z[~(np.abs(total - 1) < _TOLERANCE)]:
        grid, cdf, fine = _table(np.array([field]), lower, upper, law, _FINEST)
        found = float(fine[0])
        if abs(found - 1) < _TOLERANCE:
            continue
        far = float(np.diff(cdf[0])[np.abs(grid[0, 1:]) > _FAR].sum()) if np.isinf(upper - lower) else 0.0
        if not found < _FAR:
            raise NotNormalized(f"does not converge{place.format(field)}; write a normalized density")
        sentence = f"integrates to {found:.6g}{place.format(field)}, not to 1"
        if far > _TOLERANCE:
            sentence = f"integrates to {found:.6g} up to {grid[0, -1]:.0e}{place.format(field)} and does not converge"
        raise NotNormalized(f"{sentence}; write a normalized density")


def _discrete(rng: np.random.Generator, z: np.ndarray, atoms: np.ndarray, law: Odds) -> np.ndarray:
    cdf = np.cumsum(law(atoms[None, :], z[:, None]), axis=1)
    _check(cdf[:, -1], z, _ADD_UP, 1e-9)
    return atoms[np.minimum((cdf < rng.random(z.size)[:, None]).sum(axis=1), atoms.size - 1)]


def _counts(rng: np.random.Generator, z: np.ndarray, law: Odds) -> np.ndarray:
    left = rng.random(z.size)
    count = np.zeros(z.size)
    waiting = np.arange(z.size)
    for y in range(_MOST):
        left[waiting] -= law(np.full(waiting.size, float(y)), z[waiting])
        waiting = waiting[left[waiting] > 1e-15]
        if not waiting.size:
            return count
        count[waiting] = y + 1
    raise NotNormalized(f"the probabilities of the counts below {_MOST} add up to less than 1 at z = {z[waiting[0]]:.3g}")


def _real(rng: np.random.Generator, z: np.ndarray, lower: float, upper: float, law: Odds) -> np.ndarray:
    grid, cdf, total = _table(z, lower, upper, law, _COARSE)
    _check(total, z, "the density of the label integrates to {:.6g} at z = {:.3g}, not to 1")
    u = rng.random(z.size)
    return np.array([np.interp(a, c, g) for a, c, g in zip(u, cdf, grid, strict=True)])


def _check(total: np.ndarray, z: np.ndarray, sentence: str, tolerance: float = _TOLERANCE) -> None:
    wrong = ~(np.abs(total - 1) < tolerance)
    if wrong.any():
        first = int(np.argmax(wrong))
        raise NotNormalized(sentence.format(total[first], z[first]))


def _table(z: np.ndarray, lower: float, upper: float, law: Odds, points: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Grid and distribution function for every z, both (rows, points), and the integrals (rows,)."""
    first = grid = _first_grid(z, lower, upper, points)
    levels = np.linspace(0, 1, points + 1)
    for _ in range(3):
        steps = np.concatenate([np.zeros((len(z), 1)), np.cumsum(_cells(grid, z, law), axis=1)], axis=1)
        steps /= np.where(steps[:, -1:] > 0, steps[:, -1:], 1.0)
        moved = [np.interp(levels, step, row) for step, row in zip(steps, grid, strict=True)]
        grid = np.sort(np.concatenate([first[:, ::2], first[:, -1:], moved], axis=1), axis=1)
    cells = _cells(grid, z, law)
    total = cells.sum(axis=1)
    with np.errstate(all="ignore"):
        cdf = np.concatenate([np.zeros((len(z), 1)), np.cumsum(cells, axis=1)], axis=1) / total[:, None]
    return grid, cdf, total


def _cells(grid: np.ndarray, z: np.ndarray, law: Odds) -> np.ndarray:
    """Mass of each cell by Simpson's rule; where the law is no number (0 times inf, far out) it counts as zero, and the integral tells."""
    middle = (grid[:, 1:] + grid[:, :-1]) / 2
    ends, mid = (np.nan_to_num(law(x, z[:, None]), nan=0.0, posinf=0.0, neginf=0.0) for x in (grid, middle))
    lowest = min(ends.min(), mid.min())
    if lowest < -_ROUNDING * max(ends.max(), mid.max(), 0.0):
        x = grid.flat[ends.argmin()] if ends.min() <= mid.min() else middle.flat[mid.argmin()]
        raise NotNormalized(f"the density is negative, {lowest:.3g} at {x:.3g}")
    return np.diff(grid, axis=1) * (ends[:, 1:] + ends[:, :-1] + 4 * mid) / 6


def _first_grid(z: np.ndarray, lower: float, upper: float, points: int) -> np.ndarray:
    """Points from near the origin and near z out to 1e7, or over the interval where it is finite; (rows, points), increasing."""
    if np.isfinite(lower) and np.isfinite(upper):
        near = np.geomspace(1e-12, 0.5, points)  # the density may diverge at an end
        parts = np.unique(np.concatenate([[0.0], near, np.linspace(0, 1, points + 1), 1 - near, [1.0]]))
        return np.tile(lower + (upper - lower) * parts, (z.size, 1))
    spread = 1e-3 * np.sinh(np.linspace(-23.7, 23.7, points))
    grid = np.concatenate([np.tile(spread, (z.size, 1)), z[:, None] + spread, -z[:, None] + spread], axis=1)
    if np.isfinite(lower):
        grid = lower + np.abs(grid - lower)
    if np.isfinite(upper):
        grid = upper - np.abs(grid - upper)
    ends = [np.full((z.size, 1), end) for end in (lower, upper) if np.isfinite(end)]
    return np.sort(np.concatenate([grid, *ends], axis=1), axis=1)
