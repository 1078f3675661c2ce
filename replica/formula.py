"""Formula strings to SymPy, through an allow-list over Python's `ast`; nothing is ever evaluated.

A formula meets three gates: a lexer that knows the columns and the usual slips (`^`, `2y`, `|w|`), Python's own grammar, and a walk that
builds SymPy objects from the few nodes that are allowed.  Sizes are bounded on the way, so a short text cannot ask for a long computation.
"""

from __future__ import annotations

import ast
import keyword
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction

import sympy as sp

from replica.functions import FUNCTIONS, compare, divide, where

RESERVED = frozenset(FUNCTIONS) | {"pi", "where"}
"""Words that no control, latent or learner may be called."""

_LENGTH, _TOKENS, _DEPTH, _EXPONENT, _DIGITS, _LARGEST, _SIZE = 1000, 300, 20, 64, 40, 100, 5000
_TOKEN = re.compile(
    r"(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<word>[A-Za-z_]\w*)|(?P<op>\*\*|<=|>=|[-+*/(),<>])|(?P<space>[ \t\r\n]+)",
    re.ASCII,
)
_SLIPS = {
    "^": "'^' is not a power here, write **",
    "|": "'|' is not an absolute value here, write abs(...)",
    "=": "'=' is not known here; compare inside where(a < b, u, v)",
    "!": "'!' is not known here; compare inside where(a < b, u, v)",
    "[": "'[' is not known here, write (...)",
    "{": "'{' is not known here, write (...)",
    "//": "'//' is not known here, write /",
}
_OPERATORS = "+ - * / ** ( ) , and a < b inside where(a < b, u, v)"
_COMPARE = {ast.Lt: sp.StrictLessThan, ast.LtE: sp.LessThan, ast.Gt: sp.StrictGreaterThan, ast.GtE: sp.GreaterThan}


class FormulaError(ValueError):
    """A formula that cannot be read; the message starts with the column (from 1) and says what is allowed."""

    def __init__(self, column: int, sentence: str) -> None:
        super().__init__(f"column {column}: {sentence}")
        self.column = column


def exact(value: float | int | sp.Expr) -> sp.Expr:
    """The number as written: 0.01 becomes 1/100 and not the nearest double; inf becomes oo.

    Raises:
        ValueError: if `value` is NaN.
    """
    if isinstance(value, sp.Expr):
        return value
    if isinstance(value, int):
        return sp.Integer(value)
    number = float(value)
    if math.isinf(number):
        return sp.oo if number > 0 else -sp.oo
    if math.isnan(number):
        raise ValueError("nan is not a number that a formula can hold")
    ratio = Fraction(repr(number))
    return sp.Rational(ratio.numerator, ratio.denominator)


def parse(text: str, names: Mapping[str, sp.Expr]) -> sp.Expr:
    """The expression written in `text`, in which the words of `names` stand for the given expressions.

    Raises:
        FormulaError: one line with the column, what was found, what is allowed, and the nearest allowed word.
    """
    words, tree = _read(text, names)
    return _Builder(words, names).build(tree).expr


def parse_condition(text: str, names: Mapping[str, sp.Expr]) -> sp.Basic:
    """The comparison written in `text`, e.g. `y > 0`; errors as in `parse`."""
    words, tree = _read(text, names)
    builder = _Builder(words, names)
    return builder.condition(tree)[0]


def names_in(text: str) -> tuple[str, ...]:
    """Names that a formula mentions, without functions and constants, in order of first appearance."""
    return tuple(dict.fromkeys(t.text for t in _tokens(text) if t.kind == "word" and t.text not in RESERVED))


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    column: int


def _tokens(text: str) -> Iterator[_Token]:
    if not isinstance(text, str):
        raise FormulaError(1, f"a formula is a text in quotes, got {type(text).__name__}")
    if len(text) > _LENGTH:
        raise FormulaError(_LENGTH, f"the formula is too long ({len(text)} characters; at most {_LENGTH})")
    place = 0
    last = None
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            character = text[place]
            unknown = f"{ascii(character)} is not known here; allowed are names, numbers and {_OPERATORS}"
            raise FormulaError(place + 1, _SLIPS.get(character, unknown))
        if text[place : place + 2] == "//":
            raise FormulaError(place + 1, _SLIPS["//"])
        token = _Token(str(found.lastgroup), found.group(), place + 1)
        place = found.end()
        if last is not None and last.kind == "number" and token.kind in ("word", "number"):
            first, second = _short(last.text), _short(token.text)
            raise FormulaError(last.column, f"'{first}{second}' is not a product here, write {first}*{second}")
        last = token
        if token.kind != "space":
            yield token


def _read(text: str, names: Mapping[str, sp.Expr]) -> tuple[Mapping[str, str], ast.expr]:
    """Check the words and hand the text to Python's grammar with keywords (`lambda`) renamed, letter for letter as long."""
    tokens = list(_tokens(text))
    if not tokens:
        raise FormulaError(1, "the formula is empty")
    if len(tokens) > _TOKENS:
        raise FormulaError(tokens[_TOKENS].column, f"the formula is too long ({len(tokens)} words and signs; at most {_TOKENS})")
    _check_words(tokens, names)
    _check_depth(tokens)
    original: dict[str, str] = {}
    letters = list(re.sub(r"\s", " ", text))
    for token in tokens:
        if token.kind == "word" and keyword.iskeyword(token.text):
            alias = _alias(token.text, text)
            original[alias] = token.text
            letters[token.column - 1 : token.column - 1 + len(alias)] = alias
    start = tokens[0].column - 1  # Python takes leading blanks for an indentation
    try:
        tree = ast.parse("".join(letters)[start:], mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        column = start + (getattr(error, "offset", None) or 1)
        raise FormulaError(min(max(column, 1), len(text)), _grammar(text, min(column, len(text)))) from None
    for node in ast.walk(tree):
        if hasattr(node, "col_offset"):
            node.col_offset += start
    return original, tree


def _grammar(text: str, column: int) -> str:
    found = text[column - 1 :].split() if column >= 1 else []
    opened, closed = text.count("("), text.count(")")
    if opened != closed:
        return f"the brackets do not match ({opened} opened, {closed} closed)"
    near = f" near '{_short(found[0])}'" if found else ""
    return f"this is not a formula{near}; allowed are names, numbers and {_OPERATORS}"


def _alias(word: str, text: str) -> str:
    """A word of equal length that does not occur in the text and is no keyword."""
    for number in range(10 ** len(word)):
        alias = "_" + f"{number:x}".rjust(len(word) - 1, "v")
        if len(alias) == len(word) and alias not in text:
            return alias
    raise AssertionError("a text is too short to hold every alias")


def _check_words(tokens: list[_Token], names: Mapping[str, sp.Expr]) -> None:
    for token, after in zip(tokens, [*tokens[1:], None], strict=True):
        if token.kind != "word":
            continue
        called = after is not None and after.text == "("
        word, known = token.text, set(names) | {"pi"}
        if called and word not in FUNCTIONS and word != "where":
            if word in known:
                raise FormulaError(token.column, f"'{word}' is not a function, write {word}*(...)")
            near, listed = _nearest(word, {*FUNCTIONS, "where"}), " ".join(("where", *FUNCTIONS))
            raise FormulaError(token.column, f"function '{_short(word)}' is not known here{near} (functions: {listed})")
        if not called and word not in known:
            if word in RESERVED:
                raise FormulaError(token.column, f"'{word}' is a function, write {word}(...)")
            near = _nearest(word, known)
            listed = "" if near else f"known: {' '.join(sorted(known))}; "
            raise FormulaError(token.column, f"'{_short(word)}' is not known here{near} ({listed}declare it under [controls])")


def _check_depth(tokens: list[_Token]) -> None:
    depth = 0
    for token in tokens:
        depth += (token.text == "(") - (token.text == ")")
        if depth > _DEPTH:
            raise FormulaError(token.column, f"brackets are nested too deeply (at most {_DEPTH})")


def _nearest(word: str, known) -> str:
    near = get_close_matches(word, list(known), n=1) or [k for k in known if k.lower() == word.lower()]
    return f"; did you mean '{near[0]}'?" if near else ""


def _short(text: str) -> str:
    return text if len(text) <= 30 else text[:27] + "..."


@dataclass(frozen=True)
class _Part:
    """A piece of the expression, its value where it is a constant, and a bound on the size of what was built."""

    expr: sp.Expr
    value: float | None
    size: float


class _Builder:
    def __init__(self, aliases: Mapping[str, str], names: Mapping[str, sp.Expr]) -> None:
        self.aliases, self.names = aliases, names

    def build(self, node: ast.expr, depth: int = 0) -> _Part:
        column = node.col_offset + 1
        if depth > 2 * _DEPTH:
            raise FormulaError(column, f"the formula is nested too deeply (at most {2 * _DEPTH} levels)")
        try:
            part = self._part(node, column, depth + 1)
        except FormulaError:
            raise
        except (ArithmeticError, ValueError, TypeError, AttributeError, NotImplementedError, RecursionError):
            raise FormulaError(column, "this has no real value") from None
        if part.size > _SIZE:
            raise FormulaError(column, "numbers or powers are too large here")
        if part.value is not None and math.isnan(part.value) or part.expr.has(sp.zoo, sp.nan, sp.I):
            raise FormulaError(column, "this has no real value")
        return part

    def _part(self, node: ast.expr, column: int, depth: int) -> _Part:
        if isinstance(node, ast.Constant):
            return self._number(node, column)
        if isinstance(node, ast.Name):
            return self._name(node)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
            inside = self.build(node.operand, depth)
            if isinstance(node.op, ast.UAdd):
                return inside
            return _Part(-inside.expr, None if inside.value is None else -inside.value, inside.size)
        if isinstance(node, ast.BinOp):
            return self._chain(node, depth)
        if isinstance(node, ast.Call):
            return self._call(node, column, depth)
        if isinstance(node, ast.Compare):
            raise FormulaError(column, "a comparison stands only in the first place of where(a < b, u, v)")
        raise FormulaError(column, f"this is not a formula; allowed are names, numbers and {_OPERATORS}")

    def _number(self, node: ast.Constant, column: int) -> _Part:
        if isinstance(node.value, bool) or not isinstance(node.value, (int, float)):
            raise FormulaError(column, "this is not a number")
        size, whole = abs(node.value), isinstance(node.value, int)
        if not size < 10.0 ** (_DIGITS if whole else _LARGEST):
            raise FormulaError(column, f"the number is too large (at most {_DIGITS} digits, and below 1e{_LARGEST})")
        if 0 < size < 10.0**-_LARGEST:
            raise FormulaError(column, f"the number is too small (0, or above 1e-{_LARGEST})")
        number = exact(node.value)
        return _Part(number, float(node.value), number.p.bit_length() + number.q.bit_length())

    def _name(self, node: ast.Name) -> _Part:
        word = self.aliases.get(node.id, node.id)
        if word == "pi":
            return _Part(sp.pi, math.pi, 1)
        expr = self.names[word]
        return _Part(expr, float(expr) if expr.is_number else None, 1)

    def _chain(self, node: ast.BinOp, depth: int) -> _Part:
        """Left-nested operators one after the other, so that a long sum is not a deep one."""
        steps: list[tuple[ast.BinOp, ast.expr]] = []
        left: ast.expr = node
        while isinstance(left, ast.BinOp) and not isinstance(left.op, ast.Pow):
            steps.append((left, left.right))
            left = left.left
        if not steps:
            base, exponent = self.build(node.left, depth), self.build(node.right, depth)
            return self._power(base, exponent, node.right.col_offset + 1)
        part = self.build(left, depth)
        for operator, right in reversed(steps):
            part = self._binary(operator.op, part, self.build(right, depth), right.col_offset + 1)
            if part.size > _SIZE:
                raise FormulaError(right.col_offset + 1, "numbers or powers are too large here")
        return part

    def _binary(self, op: ast.operator, a: _Part, b: _Part, column: int) -> _Part:
        constant = a.value is not None and b.value is not None
        x, y = a.value or 0.0, b.value or 0.0
        size = a.size + b.size
        if isinstance(op, ast.Add):
            return _Part(a.expr + b.expr, _finite(x + y, column, x, y) if constant else None, size)
        if isinstance(op, ast.Sub):
            return _Part(a.expr - b.expr, _finite(x - y, column, x, y) if constant else None, size)
        if isinstance(op, ast.Mult):
            return _Part(a.expr * b.expr, _finite(x * y, column, x, y) if constant else None, size)
        if isinstance(op, ast.Div):
            if b.expr.is_zero:
                raise FormulaError(column, "division by zero")
            return _Part(divide(a.expr, b.expr), _finite(x / y, column, x, y) if constant else None, size)
        raise FormulaError(column, f"this sign is not known here; allowed are {_OPERATORS}")

    def _power(self, base: _Part, exponent: _Part, column: int) -> _Part:
        if exponent.value is not None and not abs(exponent.value) <= _EXPONENT:
            raise FormulaError(column, f"the exponent is too large (at most {_EXPONENT})")
        size = base.size * max(1.0, abs(exponent.value if exponent.value is not None else 1.0)) + exponent.size
        if size > _SIZE:
            raise FormulaError(column, "numbers or powers are too large here")
        value = None
        if base.value is not None and exponent.value is not None:
            if base.value == 0 and exponent.value < 0:
                raise FormulaError(column, "division by zero")
            value = _finite(_real(base.value**exponent.value), column, base.value)
        return _Part(base.expr**exponent.expr, value, size)

    def _call(self, node: ast.Call, column: int, depth: int) -> _Part:
        if not isinstance(node.func, ast.Name) or node.keywords or any(isinstance(a, ast.Starred) for a in node.args):
            raise FormulaError(column, "a function is called as name(a, b)")
        word = self.aliases.get(node.func.id, node.func.id)
        if word == "where":
            return self._where(node, column, depth)
        function = FUNCTIONS[word]
        if not function.fewest <= len(node.args) <= function.most:
            wanted = str(function.fewest) if function.fewest == function.most else f"{function.fewest} to {function.most}"
            raise FormulaError(column, f"{word} takes {wanted} argument{'s' if wanted != '1' else ''}, found {len(node.args)}")
        parts = [self.build(argument, depth) for argument in node.args]
        given = [part.value for part in parts if part.value is not None]
        value = None
        if len(given) == len(parts):
            value = _finite(function.number(*given), column, *given)
        return _Part(function.build(*(part.expr for part in parts)), value, 1 + sum(part.size for part in parts))

    def _where(self, node: ast.Call, column: int, depth: int) -> _Part:
        if len(node.args) != 3:
            raise FormulaError(column, f"where takes 3 arguments, where(a < b, u, v), found {len(node.args)}")
        condition, size = self.condition(node.args[0], depth)
        yes, no = self.build(node.args[1], depth), self.build(node.args[2], depth)
        expr = where(condition, yes.expr, no.expr)
        return _Part(expr, float(expr) if expr.is_number else None, yes.size + no.size + size)

    def condition(self, node: ast.expr, depth: int = 0) -> tuple[sp.Basic, float]:
        """A single comparison and its size."""
        column = node.col_offset + 1
        if not isinstance(node, ast.Compare) or len(node.ops) != 1 or type(node.ops[0]) not in _COMPARE:
            raise FormulaError(column, "a single comparison a < b (or <= > >=) is wanted here")
        relation = _COMPARE[type(node.ops[0])]
        left, right = self.build(node.left, depth + 1), self.build(node.comparators[0], depth + 1)
        if left.expr.has(sp.Piecewise) or right.expr.has(sp.Piecewise):
            raise FormulaError(column, "where(...) cannot stand inside a comparison; compare in steps, where(a < b, where(c < d, u, v), w)")
        try:
            return compare(relation, left.expr, right.expr), left.size + right.size
        except (ArithmeticError, ValueError, TypeError):
            raise FormulaError(column, "this has no real value") from None


def _finite(value: float, column: int, *given: float) -> float:
    """`value`, unless it overflowed: a constant is infinite only where an infinite control entered."""
    if math.isinf(value) and not any(math.isinf(g) for g in given):
        raise FormulaError(column, "the constant is too large here")
    return value


def _real(value: float | complex) -> float:
    if isinstance(value, complex):
        raise ArithmeticError
    return value
