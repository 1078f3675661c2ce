"""Expressions of controls in a spec: whether they parse, and their value at numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

import sympy as sp

from replica.formula import FormulaError, exact, names_in, parse, parse_condition
from replica.spec.errors import SpecError
from replica.symbols import Domain, control_symbol


@lru_cache(maxsize=256)
def domain(text: str) -> Domain:
    """A domain of the language itself."""
    return Domain.parse(text)


def evaluate(value: float | int | str, at: Mapping[str, float]) -> float:
    """The number that a value is when controls have the given values.

    Raises:
        SpecError: if it does not parse, or is no number there.
    """
    if not isinstance(value, str):
        return float(value)
    if value in at:
        return at[value]
    try:
        expr = parse(value, {name: exact(at[name]) for name in names_in(value) if name in at} if _readable(value) else {})
        return float(expr)
    except (ValueError, TypeError, OverflowError, ArithmeticError) as error:
        if isinstance(error, FormulaError):
            raise SpecError(str(error)) from None
        raise SpecError(f"{value!r} is no number at the default controls") from None


def _readable(text: str) -> bool:
    try:
        names_in(text)
    except FormulaError:
        return False
    return True


def check_formula(text: str, words: Iterable[str], *, condition: bool = False) -> None:
    """Refuse a formula that does not parse with these words.

    Raises:
        SpecError: with the column.
    """
    _check_formula(text, frozenset(words), condition)


@lru_cache(maxsize=1024)
def _check_formula(text: str, words: frozenset[str], condition: bool) -> None:
    names: dict[str, sp.Expr] = {word: control_symbol(word) for word in words}
    try:
        if condition:
            parse_condition(text, names)
        else:
            parse(text, names)
    except FormulaError as error:
        raise SpecError(str(error)) from None


def mentioned(text: object) -> tuple[str, ...]:
    """The names in a value or formula; none in a number and in what does not parse."""
    if not isinstance(text, str):
        return ()
    if text.isidentifier():
        return (text,)
    return names_in(text) if _readable(text) else ()
