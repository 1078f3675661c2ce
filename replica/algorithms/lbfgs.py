"""Limited-memory quasi-Newton descent."""

from __future__ import annotations

from dataclasses import dataclass

from replica.ingredients import Algorithm


@dataclass(frozen=True)
class LBFGS(Algorithm):
    """L-BFGS on the energy."""
