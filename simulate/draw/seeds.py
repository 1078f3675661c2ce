"""Random generators that depend on what is drawn and on nothing else, so that the order of work and the number of workers do not matter."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np


def generator(fingerprint: str, at: Mapping[str, float], size: int, seed: int, purpose: str = "draw") -> np.random.Generator:
    """The generator of one instance, or of one further use of it named by `purpose` (test data, a sampler)."""
    point = ",".join(f"{name}={float(at[name]).hex()}" for name in sorted(at))
    digest = hashlib.sha256(f"{fingerprint}|{point}|{purpose}".encode()).digest()
    words = [int.from_bytes(digest[i : i + 4], "big") for i in range(0, 32, 4)]
    return np.random.default_rng(np.random.SeedSequence([*words, size, seed]))
