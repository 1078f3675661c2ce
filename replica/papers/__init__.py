"""Papers whose results the engine is asked to reproduce: one file each, found and not listed."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from replica.papers.record import Paper


@lru_cache(maxsize=1)
def papers() -> Mapping[str, Paper]:
    """Name -> paper of every file of this folder that declares one, by name."""
    modules = (importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__))
    found = [module.PAPER for module in modules if hasattr(module, "PAPER")]
    return MappingProxyType({paper.name: paper for paper in sorted(found, key=lambda paper: paper.name)})
