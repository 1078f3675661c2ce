"""What each ingredient of a spec must declare; everything else is derived from it.

An ingredient states a law (symbolic) and how to draw from it (NumPy).  Denoisers, scores, state evolution and losses in a trainer follow
by differentiation and printing, so an ingredient that declares its law correctly cannot be wrong anywhere else.  A kind that is only
declared so far has fields and no law: asking for one gives one line that says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import KW_ONLY, MISSING, Field, dataclass, field, fields, replace
from functools import cache
from types import MappingProxyType, ModuleType
from typing import Annotated, Any, ClassVar, Self, get_type_hints

import numpy as np
import sympy as sp

from replica.arrays import evaluate
from replica.draws import draw_label
from replica.formula import exact, parse
from replica.labels import Labels, RealLabels
from replica.symbols import Domain

Value = Annotated[float | int | str | sp.Expr, "value"]
"""A number or an expression of controls, e.g. 0.5 or "1 - rho".  A SymPy expression once bound."""
Values = Annotated[tuple[float | int | str | sp.Expr, ...], "values"]
FormulaText = Annotated[str, "formula"]
Word = Annotated[str, "word"]
Words = Annotated[tuple[str, ...], "words"]
Flag = Annotated[bool, "flag"]
Bounds = Annotated[tuple[float | int | str | sp.Expr, ...], "bounds"]


class NotBuilt(NotImplementedError):
    """The kind is declared and its law is not there yet."""


class Table(Mapping[str, Any]):
    """A nested table of a spec: a mapping that cannot change and can be hashed."""

    def __init__(self, content: Mapping[str, Any] = MappingProxyType({}), **more: Any) -> None:
        self._content = {key: freeze(value) for key, value in {**content, **more}.items()}

    def __getitem__(self, key: str) -> Any:
        return self._content[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._content)

    def __len__(self) -> int:
        return len(self._content)

    def __hash__(self) -> int:
        return hash(frozenset(self._content.items()))

    def __repr__(self) -> str:
        return repr(self._content)


def freeze(value: Any) -> Any:
    """Lists as tuples and dicts as Tables, all the way down."""
    if isinstance(value, list | tuple):
        return tuple(freeze(item) for item in value)
    return Table(value) if isinstance(value, Mapping) and not isinstance(value, Table) else value


def parameter(default: Any = MISSING, domain: str = "", meaning: str = "", *, key: str = "", words: tuple[str, ...] = ()) -> Any:
    """A field of an ingredient.

    Args:
        default: absent, the parameter is required.
        domain: where its numbers lie, as in `Domain.parse`; empty, anywhere.
        meaning: ends the sentence "NAME is the ...".
        key: its key in a file where that differs from the name of the field.
        words: what a word may be; empty, any.
    """
    metadata = {"domain": domain, "meaning": meaning, "key": key, "words": words}
    return field(metadata=metadata) if default is MISSING else field(default=freeze(default), metadata=metadata)


@dataclass(frozen=True)
class Parameter:
    """One parameter of a kind as a reader of files sees it.

    Args:
        key: its key in a spec file.
        name: the field that holds it.
        type: value, values, formula, word, words, flag, table, weights, bounds, or the slot of a nested ingredient.
        optional: None is allowed and means absent.
    """

    key: str
    name: str
    type: str
    required: bool
    optional: bool
    default: Any
    domain: str
    meaning: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class Ingredient:
    """A kind that fills a slot of a spec.  Subclasses are frozen dataclasses, one file each."""

    slot: ClassVar[str] = ""
    kind: ClassVar[str] = ""
    form: ClassVar[str] = ""  # the key that stands for the kind where a table has none, e.g. `formula`
    built: ClassVar[bool] = True  # False: a record that has no law yet
    names: ClassVar[Mapping[str, sp.Expr]] = MappingProxyType({})  # of a bound ingredient: what the words of its formulas mean

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        if "kind" not in vars(cls):
            cls.kind = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", cls.__name__).lower()

    def __post_init__(self) -> None:
        for entry in self.parameters():
            value = freeze(getattr(self, entry.name))
            object.__setattr__(self, entry.name, value)
            self._check(entry, value)

    def _check(self, entry: Parameter, value: Any) -> None:
        who = f"{type(self).__name__}: {entry.key}"
        if value is None:
            if not entry.optional:
                raise ValueError(f"{who} is missing.")
        elif entry.type == "value":
            check_number(who, value, entry)
        elif entry.type == "bounds" and (not isinstance(value, tuple) or len(value) != 2):
            raise ValueError(f"{who} must be two numbers, lower and upper, got {value!r}.")
        elif entry.type in ("values", "bounds") and isinstance(value, tuple):
            for item in value:
                check_number(who, item, entry)
            if entry.type == "bounds" and not _increases(value):
                raise ValueError(f"{who} must run from a lower to an upper end, got {value!r}.")
        elif entry.type == "weights" and isinstance(value, Table):
            for item in value.values():
                check_number(who, item, entry)
        elif not isinstance(value, _PYTHON.get(entry.type, (Ingredient,))):
            raise ValueError(f"{who} must be a {entry.type}, got {value!r}.")
        elif entry.words and value not in entry.words:
            raise ValueError(f"{who} must be one of {' '.join(entry.words)}, got {value!r}.")

    @classmethod
    def parameters(cls) -> tuple[Parameter, ...]:
        """The parameters in the order in which Python takes them."""
        return _parameters(cls)  # type: ignore[arg-type]  # mypy holds the hash of a dataclass against its class

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> Self:
        """The record with parameters by their keys in a file.  Nested ingredients must be records already."""
        names = {entry.key: entry.name for entry in cls.parameters()}
        unknown = [key for key in table if key not in names]
        if unknown:
            raise ValueError(f"{cls.slot} '{cls.kind}' has no parameter '{unknown[0]}' (takes: {' '.join(names) or 'none'})")
        absent = [entry.key for entry in cls.parameters() if entry.required and entry.key not in table]
        if absent:
            raise ValueError(f"{cls.slot} '{cls.kind}' needs the parameter '{absent[0]}'")
        return cls(**{names[key]: value for key, value in table.items()})

    def table(self) -> dict[str, Any]:
        """The parameters that differ from their defaults, by their keys in a file."""
        given = ((entry, getattr(self, entry.name)) for entry in self.parameters())
        return {entry.key: value for entry, value in given if entry.required or value != entry.default}

    def bind(self, names: Mapping[str, Any]) -> Self:
        """A copy whose numbers and control expressions are SymPy expressions; its formulas know `names`.

        Args:
            names: maps every control (and `z_NAME`, `w_NAME` where formulas use them) to a symbol or a number; numbers become exact.
        """
        known = {name: exact(value) for name, value in names.items()}
        copy = replace(self, **{entry.name: _bound(getattr(self, entry.name), entry.type, known) for entry in self.parameters()})
        object.__setattr__(copy, "names", MappingProxyType(known))
        return copy

    def expr(self, value: Any) -> sp.Expr:
        """A field as a SymPy expression.

        Raises:
            ValueError: if it is an expression of controls and the ingredient is not bound.
        """
        if isinstance(value, str):
            raise ValueError(f"{type(self).__name__}: {value!r} is an expression of controls; bind it to symbols or numbers first.")
        return exact(value)

    def number(self, value: Any) -> float:
        """A field as a number.

        Raises:
            ValueError: if it still depends on a control.
        """
        expr = self.expr(value)
        if not expr.is_number:
            raise ValueError(f"{type(self).__name__}: {expr} depends on controls; bind them to numbers before drawing.")
        return float(expr)

    def read(self, text: str, **variables: sp.Expr) -> sp.Expr:
        """A formula of this ingredient with the variables of its place."""
        return parse(text, {**self.names, **variables})

    def _not_built(self) -> NotBuilt:
        return NotBuilt(f"{self.slot} '{self.kind}' is declared but not built yet")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """One to three instances with numbers.  The contract tests run on each of them."""
        return (cls(),)


_PYTHON: dict[str, tuple[type, ...]] = {
    "formula": (str,), "word": (str,), "words": (tuple,), "flag": (bool,), "values": (tuple,), "bounds": (tuple,), "table": (Table,),
    "weights": (Table,),
}


def check_number(who: str, value: Any, entry: Parameter) -> None:
    """Refuse what is no number and numbers outside the domain; expressions of controls are left for binding."""
    if isinstance(value, str) or isinstance(value, sp.Expr) and not value.is_number:
        return
    if isinstance(value, bool) or not isinstance(value, int | float | sp.Expr):
        raise ValueError(f"{who} must be a number or an expression of controls, got {value!r}.")
    if float(value) not in Domain.parse(entry.domain or "(-inf, inf)"):
        meaning = f" {entry.key} is the {entry.meaning}." if entry.meaning else ""
        raise ValueError(f"{who} must lie in {entry.domain or '(-inf, inf)'}, got {entry.key}={value}.{meaning}")


def _increases(ends: tuple[Any, Any]) -> bool:
    if any(isinstance(end, str) or isinstance(end, sp.Expr) and not end.is_number for end in ends):
        return True  # not yet known
    return float(ends[0]) < float(ends[1])


@cache
def _parameters(cls: type[Ingredient]) -> tuple[Parameter, ...]:
    hints = get_type_hints(cls, include_extras=True)
    return tuple(_parameter(f, hints[f.name]) for f in sorted(fields(cls), key=lambda f: bool(f.kw_only)))


def _parameter(f: Field[Any], hint: Any) -> Parameter:
    optional = type(None) in getattr(hint, "__args__", ())
    if optional:
        hint = next(a for a in hint.__args__ if a is not type(None))
    extras = getattr(hint, "__metadata__", ())
    word = extras[0] if extras else hint.slot
    meta = f.metadata
    required = f.default is MISSING
    return Parameter(meta.get("key") or f.name, f.name, word, required, optional, None if required else f.default,
                     meta.get("domain", ""), meta.get("meaning", ""), meta.get("words", ()))


def _bound(value: Any, kind: str, names: Mapping[str, sp.Expr]) -> Any:
    if isinstance(value, Ingredient):
        return value.bind(names)
    if kind in ("values", "bounds") and value is not None:
        return tuple(_bound(item, "value", names) for item in value)
    if kind == "weights":
        return Table({key: _bound(item, "value", names) for key, item in value.items()})
    if kind != "value" or value is None:
        return value
    return parse(value, names) if isinstance(value, str) else exact(value)


def kinds(package: ModuleType) -> dict[str, type[Any]]:
    """The kinds of a folder, in the order of its `__init__`."""
    found = (item for item in vars(package).values() if isinstance(item, type) and issubclass(item, Ingredient))
    return {cls.kind: cls for cls in found if cls.slot and cls.__module__.startswith(package.__name__ + ".")}


class Prior(Ingredient):
    """Law of one weight: a sum of atoms and a density, of total mass one."""

    slot = "prior"

    def atoms(self) -> tuple[tuple[sp.Expr, sp.Expr], ...]:
        """(location, weight) of every atom."""
        return ()

    def density(self, w: sp.Expr) -> sp.Expr:
        """The continuous part at w, without the atoms; valid inside `support`."""
        return sp.S.Zero

    def support(self) -> tuple[sp.Expr, sp.Expr]:
        """The ends between which the density stands; it is zero outside."""
        return -sp.oo, sp.oo

    def pinned_norm(self) -> sp.Expr | None:
        """The value imposed on |w|^2/d, where one is."""
        return None

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        """Draws of the given shape, float64; the last axis runs over the coordinates of a vector."""
        raise self._not_built()


class Channel(Ingredient):
    """Law of a label y given the field z: a density or probability, or y as a function of z and a standard normal xi, or both."""

    slot = "channel"

    def labels(self) -> Labels:
        """What y may be."""
        return RealLabels()

    def density(self, y: sp.Expr, z: sp.Expr) -> sp.Expr | None:
        """Probability (discrete labels, counts) or density (real labels) of y; None where y has no density given z."""
        return None

    def map(self, z: sp.Expr, xi: sp.Expr) -> sp.Expr | None:
        """y as a function of z and a standard normal xi; None where the law is not declared so."""
        return None

    def sample(self, rng: np.random.Generator, z: np.ndarray) -> np.ndarray:
        """One label for each entry of z, float64."""
        field_, noise, label = sp.Dummy("z", real=True), sp.Dummy("xi", real=True), sp.Dummy("y", real=True)
        rule = self.map(field_, noise)
        if rule is not None:
            return evaluate(rule, {field_: z, noise: rng.standard_normal(np.shape(z))})
        law = self.density(label, field_)
        if law is None:
            raise self._not_built()
        return draw_label(rng, np.asarray(z, float), self.labels(), lambda y, at: evaluate(law, {label: y, field_: at}))


@dataclass(frozen=True)
class Loss(Ingredient):
    """Energy of one sample.  The energy is the sum over samples, each times the weight of its group."""

    slot = "loss"
    _: KW_ONLY
    weights: Annotated[Mapping[str, Any], "weights"] = parameter(Table(), "[0, inf)", "factor of the loss in a group")

    def formula(self, y: sp.Expr, z: sp.Expr) -> sp.Expr:
        """The loss at label y and field z, before any weight."""
        raise self._not_built()


class Regularizer(Ingredient):
    """Energy of one weight.  The energy is the sum over weights, never divided by their number."""

    slot = "regularizer"

    def formula(self, w: sp.Expr) -> sp.Expr:
        """The penalty at weight w."""
        raise self._not_built()


class Activation(Ingredient):
    """Output of a hidden unit as a function of its field."""

    slot = "activation"

    def formula(self, z: sp.Expr) -> sp.Expr:
        """The output at field z, which has unit variance for unit-variance inputs and weights."""
        raise self._not_built()


class Law(Ingredient):
    """Law of the inputs."""

    slot = "law"

    def sample(self, rng: np.random.Generator, n: int, d: int) -> np.ndarray:
        """n inputs of d coordinates with mean zero and unit variance, shape (n, d), float64."""
        raise self._not_built()


class Network(Ingredient):
    """How the output of a learner depends on its weights."""

    slot = "network"
    simulated_only: ClassVar[bool] = False  # True: a learner with it must say theory = "none"


class Protocol(Ingredient):
    """How a learner learns."""

    slot = "protocol"
    simulated_only: ClassVar[bool] = False
    energy: ClassVar[bool] = True  # False: it has no loss and no regularizer


class Corruption(Ingredient):
    """What is added to an input before it is seen, drawn anew at each use."""

    slot = "corruption"


class Selection(Ingredient):
    """Which samples of a pool are kept."""

    slot = "selection"


class Algorithm(Ingredient):
    """How a finite system is solved, where the protocol leaves it open."""

    slot = "algorithm"
