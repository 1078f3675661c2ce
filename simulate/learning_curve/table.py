"""A data set with two classes or with real labels: read from files, checked, every mistake one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

LEAST = 4  # samples of a class, so that both halves of the data see it twice


class DataError(ValueError):
    """The data cannot be used; the message is the one line the user reads."""


@dataclass(frozen=True)
class Table:
    """Checked data.

    Args:
        X: (n, p) features.
        y: (n,) labels, -1 or 1; or real ones, centered and of variance one.
        classes: what -1 and 1 were called; empty where labels are real.
    """

    X: np.ndarray
    y: np.ndarray
    classes: tuple[str, ...]

    @property
    def real(self) -> bool:
        """Whether the labels are numbers and no classes."""
        return not self.classes

    @classmethod
    def of(cls, X: Any, y: Any, positive: Sequence[str] = (), real: bool = False) -> Table:
        """Check features and labels.

        Args:
            positive: labels that make up one class against all others; empty where there are two labels.
            real: labels are numbers to be predicted, and no classes.

        Raises:
            DataError: what was found, and what is allowed.
        """
        features, labels = _features(X), np.asarray(y)
        if labels.ndim == 2 and 1 in labels.shape:
            labels = labels.ravel()
        if labels.ndim != 1:
            raise DataError(f"y: must be one column of labels, found an array of shape {labels.shape}")
        if len(labels) != len(features):
            raise DataError(f"X and y: must have one row per sample, found {len(features)} rows in X and {len(labels)} labels in y")
        if labels.dtype.kind == "f" and not np.isfinite(labels).all():
            raise DataError(f"y: {int((~np.isfinite(labels)).sum())} of {len(labels)} labels are NaN or infinite")
        if labels.dtype.kind not in "fiubUS":
            raise DataError(f"y: labels must be numbers or words, found an array of type {labels.dtype}")
        if real and labels.dtype.kind not in "fiub":
            raise DataError(f"y: labels of a regression must be numbers, found an array of type {labels.dtype}")
        signs, classes = _scaled(labels) if real else _classes(labels, tuple(positive))
        varied = int((features.std(0) > 0).sum())
        if not varied:
            raise DataError("X: every feature is constant")
        if len(features) < 2 * varied + LEAST:
            allowed = f"at least {2 * varied + LEAST} samples are needed, two per feature"
            raise DataError(f"X: the covariance of {varied} features cannot be estimated from {len(features)} samples ({allowed})")
        return cls(features, signs, classes)

    def called(self, classes: tuple[str, ...]) -> Table:
        """The same with other names of the classes."""
        return Table(self.X, self.y, classes)


def _features(X: Any) -> np.ndarray:
    found = X.toarray() if hasattr(X, "toarray") else np.asarray(X)
    if found.ndim == 1:
        found = found[:, None]
    if found.ndim != 2 or not found.size:
        raise DataError(f"X: must be a table of samples by features, found an array of shape {found.shape}")
    if found.dtype.kind not in "fiub":
        raise DataError(f"X: features must be real numbers, found an array of type {found.dtype}")
    found = found.astype(float)
    if bad := int((~np.isfinite(found)).sum()):
        row = int(np.argwhere(~np.isfinite(found))[0, 0])
        raise DataError(f"X: {bad} of {found.size} entries are NaN or infinite, the first in row {row}; fill or drop them")
    return found


def _scaled(labels: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    values = labels.astype(float)
    if not values.std() > 0:
        raise DataError(f"y: the labels are constant, all are {values[0]:g}")
    return (values - values.mean()) / values.std(), ()


def _classes(labels: np.ndarray, positive: tuple[str, ...]) -> tuple[np.ndarray, tuple[str, ...]]:
    signs, classes = _signs(np.array([_word(label) for label in labels]), positive)
    fewest = int(min((signs > 0).sum(), (signs < 0).sum()))
    if fewest < LEAST:
        raise DataError(f"y: every class needs at least {LEAST} samples, found {fewest}")
    return signs, classes


def _word(label: Any) -> str:
    if isinstance(label, bytes):
        return label.decode(errors="replace")
    return str(label) if isinstance(label, str) else f"{float(label):g}"


def _signs(words: np.ndarray, positive: tuple[str, ...]) -> tuple[np.ndarray, tuple[str, str]]:
    found = sorted(set(words.tolist()))
    shown = " ".join(found[:12]) + (" ..." if len(found) > 12 else "")
    if len(found) == 1:
        raise DataError(f"y: the labels are constant, all are {found[0]}; two classes are needed")
    if len(words) < len(found) * 2:
        raise DataError(
            f"y: fewer samples than classes need: {len(found)} different labels among {len(words)} samples; two classes are needed"
        )
    if missing := [word for word in positive if word not in found]:
        raise DataError(f"--positive: no sample has the label {missing[0]} (labels: {shown})")
    if len(found) > 2 and not positive:
        raise DataError(
            f"y: two classes are needed, found {len(found)} labels ({shown}); --positive A,B makes these one class against the rest, "
            "--regression takes labels as numbers"
        )
    ones = positive or (found[1],)
    rest = [word for word in found if word not in ones]
    if not rest:
        raise DataError(f"--positive: every label is in it (labels: {shown}); leave some to the other class")
    return np.where(np.isin(words, ones), 1.0, -1.0), (_name(rest), _name(ones))


def _name(words: Sequence[str]) -> str:
    return ",".join(words[:6]) + (",..." if len(words) > 6 else "")


def read(path: str | Path) -> np.ndarray:
    """The array in a .npy file, or in a .csv file of numbers (a first line of names is skipped); nothing in it is run.

    Raises:
        DataError: it is no such file.
        OSError: it cannot be read.
    """
    path = Path(path)
    if path.is_dir():
        raise DataError(f"{path}: a folder, not an array (.npy or .csv)")
    if path.suffix.lower() == ".csv":
        return _csv(path)
    with path.open("rb") as file:
        if file.read(6) != b"\x93NUMPY":
            raise DataError(f"{path}: no array (allowed: .npy as numpy.save writes it, .csv)")
    try:
        return np.asarray(np.load(path, allow_pickle=False))
    except (ValueError, EOFError) as error:
        reason = "it holds Python objects, which are never loaded" if "allow_pickle" in str(error) else "the file is damaged"
        raise DataError(f"{path}: no array of numbers or words: {reason}") from None


def _csv(path: Path) -> np.ndarray:
    try:
        lines = [line for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except UnicodeDecodeError:
        raise DataError(f"{path}: not a text of numbers") from None
    if not lines:
        raise DataError(f"{path}: empty")
    rows = [[cell.strip().strip('"') for cell in line.split(",")] for line in lines]
    if len(widths := {len(row) for row in rows}) > 1:
        raise DataError(f"{path}: every line must have as many cells, found {min(widths)} to {max(widths)}")
    numbers = [_numbers(row) for row in rows]
    if len(rows) > 1 and numbers[0] is None and all(row is not None for row in numbers[1:]):
        numbers = numbers[1:]  # a line of names
    if all(row is not None for row in numbers):
        return np.array(numbers, dtype=float)
    if len(rows[0]) == 1:
        return np.array([row[0] for row in rows])
    bad = next(i for i, row in enumerate(numbers) if row is None and (i or numbers[1:] and numbers[1] is None))
    raise DataError(f"{path}: line {bad + 1} holds something that is no number")


def _numbers(row: Sequence[str]) -> list[float] | None:
    try:
        return [float(cell) for cell in row]
    except ValueError:
        return None
