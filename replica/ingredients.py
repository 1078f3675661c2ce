"""What each ingredient of a spec must declare; everything else is derived from it.

An ingredient states a law (symbolic) and how to draw from it (NumPy).  Denoisers, scores, state evolution and losses in a trainer follow
by differentiation and printing, so an ingredient that declares its law correctly cannot be wrong anywhere else.  A kind that is only
declared so far has fields and no law: asking for one gives one line that says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, replace
from types import MappingProxyType, ModuleType
from typing import Annotated, Any, ClassVar, Self

import numpy as np
import sympy as sp

from replica.arrays import evaluate
from replica.draws import draw_label
from replica.formula import exact, parse
from replica.labels import Labels, RealLabels
from replica.parameters import (
    FREE as FREE,
)
from replica.parameters import (
    Bounds as Bounds,
)
from replica.parameters import (
    Flag as Flag,
)
from replica.parameters import (
    FormulaText as FormulaText,
)
from replica.parameters import (
    Ladder as Ladder,
)
from replica.parameters import (
    Parameter as Parameter,
)
from replica.parameters import (
    Table as Table,
)
from replica.parameters import (
    Value as Value,
)
from replica.parameters import (
    Values as Values,
)
from replica.parameters import (
    Word as Word,
)
from replica.parameters import (
    Words as Words,
)
from replica.parameters import (
    check_value,
    parameters_of,
)
from replica.parameters import (
    freeze as freeze,
)
from replica.parameters import (
    parameter as parameter,
)
from replica.spectrum import Eigenspace


class NotBuilt(NotImplementedError):
    """The kind is declared and its law is not there yet."""


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
            check_value(f"{type(self).__name__}: {entry.key}", entry, value, Ingredient)

    @classmethod
    def parameters(cls) -> tuple[Parameter, ...]:
        """The parameters in the order in which Python takes them."""
        return parameters_of(cls)  # type: ignore[arg-type]  # mypy holds the hash of a record against its class

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


def _bound(value: Any, kind: str, names: Mapping[str, sp.Expr]) -> Any:
    if isinstance(value, Ingredient):
        return value.bind(names)
    if kind in ("values", "bounds") and value is not None:
        return tuple(_bound(item, "value", names) for item in value)
    if kind == "ladder" and isinstance(value, tuple):
        return tuple(_bound(item, kind, names) for item in value)
    if kind == "ladder":
        return value if value == FREE else _bound(value, "value", names)
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

    def check_mass(self) -> None:
        """Refuse a law that is no probability, for a kind that can be one; every name must be bound to a number.

        Raises:
            NotNormalized: says what was found.
        """

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

    def check_mass(self) -> None:
        """Refuse a law that is no probability, for a kind that can be one; every name must be bound to a number.

        Raises:
            NotNormalized: says what was found.
        """

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
    signs: ClassVar[bool] = False  # True: its labels are -1 and 1
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

    def draw(self, rng: np.random.Generator, n: int, d: int, truth: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray | None]:
        """n inputs (n, d), and the coordinates (n, hidden(d)) that labels act on where these are not the inputs themselves.

        Args:
            truth: the latents, for a law that is made with one.
        """
        return self.sample(rng, n, d), None

    def hidden(self, d: int) -> int:
        """Number of coordinates of a latent that makes labels."""
        return d

    def variances(self, d: int) -> np.ndarray | None:
        """(d,) variances where the inputs are Gaussian and independent coordinate by coordinate; None where they are not."""
        return None

    def loadings(self, d: int) -> np.ndarray | None:
        """(d,) mean squares that the coordinates of a latent that makes labels have, over those of its prior; None: all one."""
        return None

    def spectrum(self) -> tuple[Eigenspace, ...] | None:
        """Of a bound law: its eigenspaces, where the inputs are Gaussian with a covariance; None for plain and for other inputs."""
        return None

    def maps(self) -> tuple[str, ...]:
        """The latents of shape "matrix", of hidden(d) rows and d columns, that the inputs are made with."""
        return ()


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

    def apply(self, rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
        """Inputs (n, d) as they are seen."""
        raise self._not_built()


class Selection(Ingredient):
    """Which samples of a pool are kept."""

    slot = "selection"


class Algorithm(Ingredient):
    """How a finite system is solved, where the protocol leaves it open."""

    slot = "algorithm"
