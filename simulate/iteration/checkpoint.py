"""A run on disk: the state of its algorithm, its random numbers and its history, in one file that is replaced as a whole."""

from __future__ import annotations

import hashlib
import io
import json
import os
import secrets
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from simulate.instance import Unsupported


class Checkpoint:
    """The file of one run in a folder; `key` is everything that makes the run what it is."""

    def __init__(self, folder: str | Path, key: Mapping[str, Any]) -> None:
        digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:24]
        self._path = Path(folder) / f"{key['algorithm']}-{key['size']}-{key['seed']}-{digest}.npz"

    def save(self, notes: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        """Replace the file."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        buffer = io.BytesIO()
        named: dict[str, Any] = {"notes": np.array(json.dumps(notes))} | {f"state.{name}": array for name, array in arrays.items()}
        np.savez(buffer, **named)
        part = self._path.with_name(f".{self._path.name}.{secrets.token_hex(4)}.part")
        try:
            part.write_bytes(buffer.getvalue())
            os.replace(part, self._path)
        finally:
            part.unlink(missing_ok=True)

    def load(self) -> tuple[dict[str, Any], dict[str, np.ndarray]] | None:
        """(notes, arrays) of the file; None where there is none.

        Raises:
            Unsupported: the file is damaged.
        """
        if not self._path.exists():
            return None
        try:
            with np.load(io.BytesIO(self._path.read_bytes()), allow_pickle=False) as kept:
                notes = json.loads(str(kept["notes"]))
                return notes, {name.removeprefix("state."): kept[name] for name in kept.files if name != "notes"}
        except (ValueError, KeyError, OSError, zipfile.BadZipFile) as error:
            raise Unsupported(f"{self._path}: not a run of this program, or damaged; remove it to start anew") from error
