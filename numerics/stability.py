"""Whether a fixed point attracts, from the spectrum of the map there.

A solution is called stable where the theory's `replicon` is positive, if it has that observable: stability against
breaking replica symmetry.  Otherwise it is called stable where the spectral radius of the map's Jacobian is below one:
plain iteration started nearby returns, as state evolution or belief propagation would.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np


def slow_modes(jacobian: np.ndarray) -> np.ndarray:
    """Eigenvalues of the map's Jacobian dG/dx = 1 - dR/dx, largest modulus first.

    Args:
        jacobian: (..., n, n), of the residual x - G(x); NaN where there was no solution.

    Returns:
        (..., n) complex; NaN where the Jacobian is not finite.
    """
    n = jacobian.shape[-1]
    finite = np.isfinite(jacobian).all(axis=(-2, -1))
    modes = np.linalg.eigvals(np.where(finite[..., None, None], np.eye(n) - jacobian, 0.0)).astype(complex)
    modes[~finite] = complex(math.nan, math.nan)
    return np.take_along_axis(modes, np.argsort(-np.abs(modes), axis=-1), -1)


def spectral_radius(jacobian: np.ndarray) -> np.ndarray:
    """Largest modulus of the map's eigenvalues, shape (...)."""
    return np.abs(slow_modes(jacobian)[..., 0])


def stable(radius: float, observables: Mapping[str, float]) -> bool | None:
    """The verdict; None where neither the replicon nor the spectrum is known."""
    judged = observables.get("replicon", math.nan)
    if not math.isnan(judged):
        return judged > 0
    return None if math.isnan(radius) else radius < 1


def unstable_directions(jacobian: np.ndarray) -> int:
    """Number of directions in which x' = G(x) - x runs away: eigenvalues of the Jacobian of x - G(x) with a negative real part.

    Unlike the spectral radius it changes only where the Jacobian is singular (a fold, a crossing of branches) or a pair of
    complex eigenvalues crosses the axis; a map that merely overshoots is not called unstable.
    """
    return int((np.linalg.eigvals(jacobian).real < 0).sum())


def stable_branch(jacobian: np.ndarray, observables: Mapping[str, float]) -> bool:
    """Whether a solution is stable along its branch, and against breaking replica symmetry where `replicon` is known."""
    return unstable_directions(jacobian) == 0 and not observables.get("replicon", 1.0) < 0
