"""Results on disk: netCDF written atomically with checksums, and a journal of finished points in SQLite."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import io
import json
import os
import secrets
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import xarray as xr

from numerics.solution import Solution
from numerics.status import Status

FORMAT = "replica results 1"
SEAL = b"\nreplica sha256 "
HDF5 = b"\x89HDF\r\n\x1a\n"
JOURNAL_ID = 0x52504C31  # stands in the SQLite header, so that a foreign database is recognised
_MODE = 0o644  # less what the umask takes away
CONVENTIONS = "fields w.x/sqrt(d); alpha = n/d; free entropy per dimension, natural logarithms; conjugates carry a hat"


class StoreError(Exception):
    """A file that cannot be read, written or trusted; one line that names it."""


def save(data: xr.Dataset, path: str | Path) -> Path:
    """Write a Dataset to netCDF, checksummed, all or nothing: an existing file stays until the new one is complete.

    Raises:
        StoreError: one line, e.g. for a full disk or a missing folder; a file of that name is left as it was.
    """
    path = Path(path)
    if path.exists() and not path.is_file():
        raise StoreError(f"{path}: is a {'folder' if path.is_dir() else 'device or pipe'}, not a file; nothing was changed")
    versions = {name: importlib.metadata.version(name) for name in ("numpy", "numba", "sympy", "xarray")}
    labelled = data.assign_attrs(format=FORMAT, conventions=CONVENTIONS, versions=json.dumps(versions))
    encoding = {name: {"fletcher32": True} for name, v in labelled.variables.items() if v.ndim and v.dtype.kind in "fiub"}
    temporary: Path | None = None
    try:
        part = path.parent / f".{path.name}.{secrets.token_hex(4)}.part"
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _MODE))
        temporary = part
        labelled.to_netcdf(temporary, engine="h5netcdf", encoding=encoding)
        _seal(temporary)
        os.replace(temporary, path)
    except (OSError, RuntimeError, ValueError) as error:
        raise StoreError(f"{path}: cannot be written ({_short(error)}); nothing was changed") from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
    return path


def load(path: str | Path) -> xr.Dataset:
    """Read what `save` wrote, into memory.  The checksum is verified before the HDF5 library sees the file.

    Raises:
        StoreError: one line, for a file that is missing, truncated, corrupt or not ours.
    """
    path = Path(path)
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise StoreError(f"{path}: cannot be read ({_short(error)})") from error
    content, mark, digest = raw[: -len(SEAL) - 64], raw[-len(SEAL) - 64 : -64], raw[-64:]
    if mark != SEAL:
        what = "not a result file of this program, or truncated" if raw.startswith(HDF5) else "not a result file of this program"
        raise StoreError(f"{path}: {what}")
    if hashlib.sha256(content).hexdigest().encode() != digest:
        raise StoreError(f"{path}: checksum does not match, the file was damaged or edited")
    with xr.open_dataset(io.BytesIO(content), engine="h5netcdf") as opened:
        if opened.attrs.get("format") != FORMAT:
            raise StoreError(f"{path}: written in format {opened.attrs.get('format')!r}, this program reads {FORMAT!r}")
        return opened.load()


def _seal(file: Path) -> None:
    """Append the checksum (HDF5 ignores what follows its end) and force the file to disk."""
    content = file.read_bytes()
    with open(file, "ab") as handle:
        handle.write(SEAL + hashlib.sha256(content).hexdigest().encode())
        handle.flush()
        os.fsync(handle.fileno())


def _short(error: BaseException) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return (text.strip().splitlines() or [type(error).__name__])[0][:160]


def point_key(point: Mapping[str, float], tol: float, starts: Sequence[str]) -> str:
    """What a journal knows a point by: exact values of the controls, tolerance, starts."""
    return json.dumps([sorted((k, float(v).hex()) for k, v in point.items()), float(tol).hex(), sorted(starts)])


class Journal:
    """Finished points of sweeps of one theory.  One row a point, each with its own SHA-256, committed in batches."""

    def __init__(self, path: Path | None, database: sqlite3.Connection | None) -> None:
        self._path, self._database = path, database

    @classmethod
    @contextmanager
    def open(cls, path: str | Path | None, fingerprint: str) -> Iterator[Journal]:
        """Open or create; None gives a journal that keeps nothing.

        Raises:
            StoreError: for a damaged file, one that is not a journal, or the journal of another theory.
        """
        if path is None:
            yield cls(None, None)
            return
        path = Path(path)
        try:
            database = sqlite3.connect(path, timeout=30)
            try:
                database.execute("PRAGMA journal_mode=WAL")
                found = database.execute("PRAGMA application_id").fetchone()[0]
                tables = database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
                if tables and found != JOURNAL_ID:
                    raise StoreError(f"{path}: a database, but not a journal of this program")
                with database:
                    database.execute(f"PRAGMA application_id={JOURNAL_ID}")
                    database.execute("CREATE TABLE IF NOT EXISTS theory (fingerprint TEXT PRIMARY KEY)")
                    database.execute("CREATE TABLE IF NOT EXISTS points (key TEXT PRIMARY KEY, row TEXT, sha256 TEXT)")
                    database.execute("INSERT OR IGNORE INTO theory SELECT ? WHERE NOT EXISTS (SELECT 1 FROM theory)", (fingerprint,))
                owner = database.execute("SELECT fingerprint FROM theory").fetchone()[0]
                if owner != fingerprint:
                    raise StoreError(f"{path}: journal of another theory (fingerprint {owner}, this one is {fingerprint})")
                yield cls(path, database)
            finally:
                database.close()
        except sqlite3.Error as error:
            raise StoreError(f"{path}: journal cannot be used ({_short(error)})") from error

    def find(self, key: str) -> tuple[Solution, ...] | None:
        """The solutions kept for a point, or None.

        Raises:
            StoreError: where the row does not match its checksum.
        """
        if self._database is None:
            return None
        found = self._database.execute("SELECT row, sha256 FROM points WHERE key = ?", (key,)).fetchone()
        if found is None:
            return None
        row, digest = found
        if not isinstance(row, str) or _digest(key, row) != digest:
            raise StoreError(f"{self._path}: a row of the journal is damaged (its checksum does not match); delete the file to start anew")
        return tuple(_from_row(one) for one in json.loads(row))

    def save(self, points: Mapping[str, Sequence[Solution]]) -> None:
        """Commit finished points; after this returns they survive a kill."""
        if self._database is None:
            return
        rows = [(key, json.dumps([_to_row(one) for one in found])) for key, found in points.items()]
        with self._database:
            self._database.executemany("INSERT OR REPLACE INTO points VALUES (?, ?, ?)", [(k, row, _digest(k, row)) for k, row in rows])


def _digest(key: str, row: str) -> str:
    return hashlib.sha256(f"{key}\n{row}".encode()).hexdigest()


def _to_row(one: Solution) -> dict[str, object]:
    return {f.name: one.status.name if f.name == "status" else getattr(one, f.name) for f in dataclasses.fields(one)}


def _from_row(row: dict[str, object]) -> Solution:
    return Solution(**{**row, "status": Status[str(row["status"])]})  # type: ignore[arg-type]


