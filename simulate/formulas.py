"""Formulas of a user's own: lists of clauses as SAT solvers take them, and DIMACS files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from simulate.instance import Unsupported

LARGEST = 2**26
"""Most bytes of a file, and most weights of a formula."""


@dataclass(frozen=True)
class Formula:
    """Clauses on d weights.

    Args:
        size: d.
        literal: (E,) of all clauses in a row: the number of a weight, from 1, with the sign asked for.
        clause: (n + 1,) where each clause begins and the last ends.
    """

    size: int
    literal: np.ndarray
    clause: np.ndarray

    @classmethod
    def of(cls, clauses: Iterable[Sequence[int]], size: int | None = None) -> Formula:
        """Clauses as lists of numbers without zeros; a literal twice counts once, and a clause that cannot be violated is left out.

        Args:
            size: number of weights; that of the largest literal if absent.

        Raises:
            Unsupported: an empty clause, no clause at all, or literals that are no numbers of weights.
        """
        kept = []
        for number, clause in enumerate(clauses, 1):
            words = list(clause)
            if not words:
                raise Unsupported(f"formula: clause {number} is empty, so nothing satisfies it")
            wrong = [word for word in words if not isinstance(word, (int, np.integer)) or isinstance(word, bool) or word == 0]
            if wrong:
                raise Unsupported(f"formula: clause {number} has the literal {wrong[0]!r}; allowed are whole numbers other than 0")
            literals = dict.fromkeys(int(word) for word in words)
            if not any(-one in literals for one in literals):
                kept.append(list(literals))
        if not kept:
            raise Unsupported("formula: no clause is left that could be violated")
        literal = np.array([one for clause in kept for one in clause], dtype=object)
        largest = max(abs(one) for one in literal)
        size = largest if size is None else size
        if largest > size or size > LARGEST:
            raise Unsupported(f"formula: {largest} is the largest weight that is named, of {size}; at most {LARGEST} are allowed")
        return cls(size, literal.astype(np.int64), np.cumsum([0, *map(len, kept)]))


def read_dimacs(path: str | Path) -> Formula:
    """The formula of a DIMACS file: lines of comments `c ...`, one line `p cnf WEIGHTS CLAUSES`, then literals, each clause ended by 0.

    Raises:
        Unsupported: one line, with the number of the line at fault.
    """
    path = Path(path)
    if path.stat().st_size > LARGEST:
        raise Unsupported(f"{path}: {path.stat().st_size} bytes are too many, at most {LARGEST}")
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except UnicodeDecodeError:
        raise Unsupported(f"{path}: not a DIMACS file, which is plain text") from None
    head: tuple[int, int] | None = None
    clauses: list[list[int]] = [[]]
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words or words[0] == "c":
            continue
        if words[0] == "%":  # how files of a well-known library end
            break
        if words[0] == "p":
            head = _head(path, number, words, head)
            continue
        if head is None:
            raise Unsupported(f"{path}, line {number}: a line 'p cnf WEIGHTS CLAUSES' must come before the clauses")
        for word in words:
            literal = _whole(word)
            if literal is None or abs(literal) > head[0]:
                raise Unsupported(f"{path}, line {number}: {word[:20]!r} is no literal of {head[0]} weights")
            if literal == 0:
                clauses.append([])
            else:
                clauses[-1].append(literal)
    if head is None:
        raise Unsupported(f"{path}: no line 'p cnf WEIGHTS CLAUSES'")
    if clauses[-1]:
        raise Unsupported(f"{path}: the last clause is not ended by 0")
    if len(clauses) - 1 != head[1]:
        raise Unsupported(f"{path}: {head[1]} clauses are announced, found {len(clauses) - 1}")
    return Formula.of(clauses[:-1], head[0])


def _head(path: Path, number: int, words: list[str], before: tuple[int, int] | None) -> tuple[int, int]:
    counts = [_whole(word) for word in words[2:]]
    if before is not None or words[:2] != ["p", "cnf"] or len(counts) != 2 or None in counts:
        raise Unsupported(f"{path}, line {number}: one line 'p cnf WEIGHTS CLAUSES' is allowed, found {' '.join(words)[:40]!r}")
    weights, clauses = (int(one or 0) for one in counts)
    if not 0 < weights <= LARGEST or clauses < 0:
        raise Unsupported(f"{path}, line {number}: {weights} weights and {clauses} clauses; allowed are 1 to {LARGEST} weights")
    return weights, clauses


def _whole(word: str) -> int | None:
    digits = word.removeprefix("-")
    return int(word) if digits.isdigit() and len(digits) < 12 else None
