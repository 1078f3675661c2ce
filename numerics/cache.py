"""Compiled kernels on disk: content-hashed, checksummed, self-mending, private to their owner.

    <folder>/<sha of text>-<cpu>/   kernel_<sha>.py, kernel.json, __pycache__/ (numba's machine code)
    <folder>/index/<key>.json       identity of a theory -> folder, so that a warm process neither rewrites nor lowers

A folder is built under a temporary name and appears by one rename; it is never changed afterwards.  Machine code is code and
numba's index is a pickle: everything is verified before it is loaded, and whatever does not match is removed and built again.
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
import types
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import llvmlite
import numba
from llvmlite import binding as llvm

_LOCK = threading.Lock()
_MANIFEST = "kernel.json"


class CacheError(OSError):
    """The cache folder cannot be trusted, or kernels cannot be built."""


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
    """A module of kernels, and what was noted about it when it was built."""

    module: types.ModuleType
    notes: Mapping[str, Any]
    warm: bool


class KernelCache:
    """Builds, stores and loads modules of kernels.

    Args:
        folder: where; None takes REPLICA_CACHE or the platform's convention.  Made with mode 0700.

    Raises:
        CacheError: the folder belongs to another user.
    """

    def __init__(self, folder: str | Path | None = None) -> None:
        self.folder = Path(folder) if folder is not None else default_folder()
        try:
            self._own(self.folder)
            self._own(self.folder / "index")
        except CacheError:
            raise
        except OSError as error:
            fallback = Path(tempfile.mkdtemp(prefix="replica-engine-"))
            warnings.warn(
                f"cache folder {self.folder} cannot be written ({error.strerror}); kernels of this process go to {fallback}", stacklevel=2
            )
            self.folder = fallback
            self._own(self.folder / "index")

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
        """The module filed under `key`, or None.  Damaged entries are removed."""
        entry = self.folder / "index" / f"{key}.json"
        try:
            noted = json.loads(entry.read_text(encoding="utf-8"))
            name, check = noted["folder"], noted["check"]
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError):
            entry.unlink(missing_ok=True)
            return None
        if check != digest(key, str(name)) or name != self._name(str(name).split("-", 1)[0]):
            entry.unlink(missing_ok=True)
            return None
        with _LOCK:
            return self._load(name)

    def store(self, key: str | None, source: str, notes: Mapping[str, Any]) -> Loaded:
        """The module of `source`, built if it is not there; `notes` (JSON) are kept beside it and filed under `key`."""
        name = self._name(digest(source, json.dumps(notes, sort_keys=True)))
        with _LOCK:
            loaded = self._load(name) or self._build(name, source, notes)
        if key is not None:
            self._write(self.folder / "index" / f"{key}.json", json.dumps({"folder": name, "check": digest(key, name)}))
        return loaded

    @staticmethod
    def _name(sha: str) -> str:
        machine = digest(llvm.get_host_cpu_name(), _features(), numba.__version__, llvmlite.__version__, sys.implementation.cache_tag or "")
        return f"{sha[:40]}-{machine[:12]}"

    def _load(self, name: str) -> Loaded | None:
        folder = self.folder / name
        if not folder.is_dir():
            return None
        try:
            manifest = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
            noted = manifest["noted"]
            if manifest["check"] != digest(name, noted):
                raise ValueError("manifest")
            noted = json.loads(noted)
            for file, sha in noted["files"].items():
                if digest((folder / file).read_bytes()) != sha:
                    raise ValueError(file)
            return Loaded(_import(folder / noted["module"]), noted["notes"], True)
        except Exception:  # whatever is wrong with an entry, the remedy is the same
            shutil.rmtree(folder, ignore_errors=True)
            return None

    def _build(self, name: str, source: str, notes: Mapping[str, Any]) -> Loaded:
        work = Path(tempfile.mkdtemp(prefix=".building-", dir=self.folder))
        try:
            path = work / f"kernel_{name.split('-', 1)[0]}.py"
            self._write(path, source)
            module = _import(path)
            files = {str(f.relative_to(work)): digest(f.read_bytes()) for f in sorted(work.rglob("*")) if f.is_file()}
            noted = json.dumps({"module": path.name, "files": files, "notes": dict(notes)})
            self._write(work / _MANIFEST, json.dumps({"noted": noted, "check": digest(name, noted)}))
            try:
                work.rename(self.folder / name)
            except OSError:  # another process was first
                shutil.rmtree(work, ignore_errors=True)
            return Loaded(module, notes, False)
        except BaseException:
            shutil.rmtree(work, ignore_errors=True)
            raise

    @staticmethod
    def _write(path: Path, text: str) -> None:
        handle, temporary = tempfile.mkstemp(prefix=".writing-", dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


def _features() -> str:
    return str(numba.config.CPU_FEATURES or llvm.get_host_cpu_features().flatten())


def _import(path: Path) -> types.ModuleType:
    """Run a generated file as a module of its own name.  numba pickles that name, so it is registered first."""
    module = types.ModuleType(path.stem)
    module.__file__ = str(path)
    before, beside = sys.modules.get(path.stem), numba.config.CACHE_DIR
    sys.modules[path.stem] = module
    numba.config.CACHE_DIR = ""  # machine code stands beside its source, where it is checked
    try:
        exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), module.__dict__)  # our own text, verified by its hash
    except BaseException:
        if before is None:
            del sys.modules[path.stem]
        else:
            sys.modules[path.stem] = before
        raise
    finally:
        numba.config.CACHE_DIR = beside
    return module
