"""The catalog of spec files that come with the package."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

import replica.catalog
from replica.spec.errors import SpecError, nearest, one_line
from replica.spec.spec import Spec


@lru_cache(maxsize=1)
def catalog() -> Mapping[str, Path]:
    """Name -> file of every spec of the catalog, by name."""
    folder = Path(next(iter(replica.catalog.__path__)))
    return MappingProxyType({path.stem: path for path in sorted(folder.glob("*.toml"))})


def load(name_or_path: str | Path) -> Spec:
    """The spec of a file, or of the catalog.

    Raises:
        SpecError: one line; for a word that is neither, with the nearest name of the catalog.
    """
    text = str(name_or_path)
    if text in catalog():
        return Spec.from_toml(catalog()[text])
    looks_like_file = "/" in text or "\\" in text or text.endswith(".toml")
    if looks_like_file or _is_file(text):
        return Spec.from_toml(Path(text))
    near = nearest(text, catalog())
    raise SpecError(f"'{one_line(text)}' is neither a file nor a name of the catalog{near} (catalog: {' '.join(catalog())})")


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):
        return False
