"""Machine code on disk: checksummed, self-mending, private to its owner.

    <folder>/<key>-<cpu>/   kernel.o, kernel.json (notes and the hash of both)

The key is the identity of a theory and of the compiler, so that a warm process neither rewrites nor lowers.

A folder is built under a temporary name and appears by one rename; it is never changed afterwards.  Machine code is code:
it is verified before it is loaded, and whatever does not match is removed and built again.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import sys
import tempfile
import threading
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import llvmlite
from llvmlite import binding as llvm

from numerics.native import features

_LOCK = threading.Lock()
_MANIFEST, _CODE = "kernel.json", "kernel.o"


class CacheError(OSError):
    """The cache folder cannot be trusted."""


def digest(*parts: str | bytes) -> str:
    """sha256 of the parts, each preceded by its length."""
    total = hashlib.sha256()
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        total.update(len(raw).to_bytes(8, "little") + raw)
    return total.hexdigest()


def default_folder() -> Path:
    """REPLICA_CACHE, else replica-engine in the platform's folder for caches."""
    given = os.environ.get("REPLICA_CACHE")
    if given:
        return Path(given)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "replica-engine"


@dataclass(frozen=True)
class Loaded:
    """An object file, and what was noted about it when it was built."""

    code: bytes
    notes: Mapping[str, Any]
    warm: bool


class KernelCache:
    """Keeps object files.

    Args:
        folder: where; None takes REPLICA_CACHE or the platform's convention.  Made with mode 0700.

    Raises:
        CacheError: the folder belongs to another user.
    """

    def __init__(self, folder: str | Path | None = None) -> None:
        self.folder = Path(folder) if folder is not None else default_folder()
        try:
            self._own(self.folder)
        except CacheError:
            raise
        except OSError as error:
            fallback = Path(tempfile.mkdtemp(prefix="replica-engine-"))
            warnings.warn(
                f"cache folder {self.folder} cannot be written ({error.strerror}); kernels of this process go to {fallback}", stacklevel=2
            )
            self.folder = fallback

    @staticmethod
    def _own(folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if hasattr(os, "getuid"):
            status = folder.stat()
            if status.st_uid != os.getuid():
                raise CacheError(
                    f"cache folder {folder} belongs to user {status.st_uid}, not to {os.getuid()}; set REPLICA_CACHE to your own"
                )
            if stat.S_IMODE(status.st_mode) & 0o077:
                folder.chmod(0o700)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(13, "Permission denied", str(folder))

    def find(self, key: str) -> Loaded | None:
        """What is filed under `key`, or None.  Damaged entries are removed."""
        with _LOCK:
            return self._load(self._name(key))

    def store(self, key: str, code: bytes, notes: Mapping[str, Any]) -> Loaded:
        """File machine code and its `notes` (JSON) under `key`."""
        name = self._name(key)
        with _LOCK:
            if self._load(name) is None:
                self._keep(name, code, notes)
        return Loaded(code, notes, False)

    @staticmethod
    def _name(key: str) -> str:
        machine = digest(llvm.get_host_cpu_name(), features(), llvmlite.__version__, sys.platform)
        return f"{key[:40]}-{machine[:12]}"

    def _load(self, name: str) -> Loaded | None:
        folder = self.folder / name
        if not folder.is_dir():
            return None
        try:
            manifest = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
            noted, code = manifest["noted"], (folder / _CODE).read_bytes()
            if manifest["check"] != digest(name, noted, code):
                raise ValueError("manifest")
            return Loaded(code, json.loads(noted)["notes"], True)
        except Exception:  # whatever is wrong with an entry, the remedy is the same
            shutil.rmtree(folder, ignore_errors=True)
            return None

    def _keep(self, name: str, code: bytes, notes: Mapping[str, Any]) -> None:
        work = Path(tempfile.mkdtemp(prefix=".building-", dir=self.folder))
        try:
            noted = json.dumps({"notes": dict(notes)})
            self._write(work / _CODE, code)
            self._write(work / _MANIFEST, json.dumps({"noted": noted, "check": digest(name, noted, code)}).encode())
            work.rename(self.folder / name)
        except OSError:
            shutil.rmtree(work, ignore_errors=True)
            if not (self.folder / name).is_dir():  # else another process was first
                raise
        except BaseException:
            shutil.rmtree(work, ignore_errors=True)
            raise

    @staticmethod
    def _write(path: Path, data: bytes) -> None:
        handle, temporary = tempfile.mkstemp(prefix=".writing-", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
