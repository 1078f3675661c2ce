"""Tables of the data side of a spec: controls, blocks, latents, labels, groups and slices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from replica.spec.entries import Either, Entry, Formula, Name, Named, Number, One, Plain, Several, Text
from replica.spec.errors import SpecError, shown
from replica.spec.ingredient_entries import Slot
from replica.spec.records import Record, key
from replica.symbols import REAL, Domain

Value = float | int | str


class DomainText(Entry):
    """A domain such as "(0, inf)"; kept as a `Domain`."""

    def read(self, raw: Any) -> Domain:
        if isinstance(raw, Domain):
            return raw
        if not isinstance(raw, str):
            raise SpecError(f"must be a domain such as '(0, inf)', found {shown(raw)}")
        try:
            return Domain.parse(raw)
        except (ValueError, OverflowError) as error:
            raise SpecError(str(error)) from None


@dataclass(frozen=True)
class Control(Record):
    """A named number: given by `value`, derived by `formula` from other controls, or found so that `solve` holds (from the start `value`).

    Args:
        value: the number, or the start of the search.
        domain: where it may move; a `Domain` once read.
        meaning: what it is, in words.
        formula: an expression of other controls.
        solve: a condition such as "complexity = 0".
    """

    title = "control"
    value: float | None = key(Plain())
    domain: Any = key(DomainText())
    meaning: str | None = key(Text())
    formula: str | None = key(Formula(kind="derived"))
    solve: str | None = key(Text())

    def finish(self) -> None:
        if self.formula is not None and (self.value is not None or self.solve is not None):
            raise SpecError("a control with 'formula' is derived and takes neither 'value' nor 'solve'")
        if self.formula is None and self.value is None:
            raise SpecError("needs 'value' (a number) or 'formula' (of other controls)")
        if self.solve is not None and not self._condition():
            raise SpecError(f"{shown(self.solve)} is not a condition; write one such as 'complexity = 0'", ("solve",))
        if self.value is not None and self.value not in self.range:
            raise SpecError(f"{self.value} lies outside the domain {domain_text(self.range)}", ("value",))

    def _condition(self) -> bool:
        left, _, right = str(self.solve).partition("=")
        return bool(left.strip()) and left.strip().isidentifier() and _is_float(right)

    @property
    def range(self) -> Domain:
        """The domain, all numbers where none is given."""
        return self.domain if self.domain is not None else REAL

    @property
    def condition(self) -> tuple[str, float] | None:
        """(observable, value) of `solve`."""
        if self.solve is None:
            return None
        left, _, right = self.solve.partition("=")
        return left.strip(), float(right)


def _is_float(text: str) -> bool:
    try:
        return float(text) == float(text)
    except ValueError:
        return False


def domain_text(domain: Domain) -> str:
    """The domain as it is written in a file, with every digit of its ends."""
    if domain.members:
        return "{" + ", ".join(_number(m) for m in domain.members) + "}"
    left, right = "[" if domain.closed_lower else "(", "]" if domain.closed_upper else ")"
    return f"{'integers ' if domain.integers else ''}{left}{_number(domain.lower)}, {_number(domain.upper)}{right}"


def _number(x: float) -> str:
    return str(int(x)) if x == x // 1 and abs(x) < 1e15 else repr(x)


@dataclass(frozen=True)
class Block(Record):
    """A class of coordinates.  `fraction`: its part of all coordinates."""

    title = "block"
    fraction: Any = key(Number("(0, 1]"), required=True)


@dataclass(frozen=True)
class Latent(Record):
    """A fixed random vector that nobody learns from directly.

    Args:
        prior: law of its coordinates.
        blocks: where it is not zero; everywhere if absent.
        overlap: latent -> a.b/d, each pair once.
        network: how its field is made of it; linear if absent.
        shape: "matrix" for a feature map.
    """

    title = "latent"
    prior: Any = key(Slot("prior"), required=True)
    blocks: Any = key(Several(Name("block"), distinct=True))
    overlap: Any = key(Named(Number("(-inf, inf)"), "latent"))
    network: Any = key(Slot("network"))
    shape: str | None = key(Text(("vector", "matrix")))


@dataclass(frozen=True)
class Teacher(Latent):
    """The latent `teacher`, and the label that every group has unless it says otherwise: channel( teacher.x/sqrt(d) + bias )."""

    title = "teacher"
    channel: Any = key(Slot("channel"), required=True)
    bias: Value | None = key(Number())


@dataclass(frozen=True)
class Label(Record):
    """Law of the label of a cell: y ~ channel( of.x/sqrt(d) + bias ), or a value, or "random" signs (storage).

    Args:
        of: the latent whose field enters the channel.
        channel: law of y given that field.
        bias: added to the field.
        value: the label itself, or "random" for +-1 with equal odds.
    """

    title = "label"
    of: str | None = key(Name("latent"))
    channel: Any = key(Slot("channel"))
    bias: Value | None = key(Number())
    value: Value | None = key(Number())

    def finish(self) -> None:
        if self.value is not None and (self.of or self.channel or self.bias is not None):
            raise SpecError("a label with 'value' takes no 'of', 'channel' or 'bias'")
        if self.value is None and self.channel is None:
            raise SpecError("needs 'channel' (the law of y) or 'value'")

    @property
    def random(self) -> bool:
        """Whether the label is a random sign, independent of the input."""
        return self.value == RANDOM


RANDOM = "random"
_VARIANCE = Either(Named(Number("[0, inf)"), "block"), Number("[0, inf)"))


@dataclass(frozen=True)
class Cell(Record):
    """What one group is like in one slice: x = sum_t mean_t latent_t/sqrt(d) + sqrt(variance) noise, with a label.

    Args:
        mean: latent -> coefficient.
        variance: a number, or one per block.
        label: law of the label.
        corruption: what is added to x before it is seen.
    """

    mean: Any = key(Named(Number(), "latent"))
    variance: Any = key(_VARIANCE)
    label: Any = key(One(Label, "value"))
    corruption: Any = key(Slot("corruption"))


@dataclass(frozen=True)
class Group(Cell):
    """A component of the population.  `share`: its part of the samples; the shares of a slice add up to 1."""

    title = "group"
    share: Value | None = key(Number("[0, 1]"))


@dataclass(frozen=True)
class Data(Cell):
    """Defaults for every slice and group.

    Args:
        law: law of the inputs.
        alpha: samples per dimension; inf: the learner sees the law itself.
        samples: their count, for discrete laws.
        share: odds of the slice in a mixed one-pass stage.
        selection: which samples of the pool are kept.
    """

    title = "data"
    law: Any = key(Slot("law"))
    alpha: Value | None = key(Number("(0, inf]"))
    samples: Value | None = key(Number("integers [1, inf)"))
    share: Value | None = key(Number("[0, 1]"))
    selection: Any = key(Slot("selection"))

    def finish(self) -> None:
        if self.alpha is not None and self.samples is not None:
            raise SpecError("takes 'alpha' or 'samples', not both")


@dataclass(frozen=True)
class Slice(Data):
    """A set of samples with a law and a size.  `groups`: cells that differ from what [group] and [data] say."""

    title = "slice"
    groups: Any = key(Named(One(Group)))


