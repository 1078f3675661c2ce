"""Tables of the learning side of a spec: learners, couplings and stages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from replica.ingredients import Ingredient, Table
from replica.spec.entries import Either, Entry, Formula, Name, Named, Number, One, Several, Text, is_name
from replica.spec.errors import SpecError, shown, unknown
from replica.spec.ingredient_entries import Slot
from replica.spec.records import Mention, Record, key
from replica.spec.slots import slot_kinds

Value = float | int | str

TARGETS = ("label", "root", "masked", "clean", "noise", "next", "weights")


@dataclass(frozen=True)
class Coupling(Record):
    """A term that joins a learner to another learner, to an earlier stage or to a latent; exactly one of the last four.

    Args:
        to: what it is joined to.
        strength: g in energy + g/2 (w - w_to)^2 per coordinate (multiplied by beta).
        formula: in w and w_NAME, added to the energy per coordinate (multiplied by beta).
        log_weight: in w and w_NAME, added to the log-measure per coordinate (not multiplied by beta).
        overlap: the imposed value of w.w_to/d.
    """

    title = "couple"
    to: Any = key(Name("partner"), required=True)
    strength: Value | None = key(Number("[0, inf)"))
    formula: str | None = key(Formula(("w", "w_")))
    log_weight: str | None = key(Formula(("w", "w_")))
    overlap: Value | None = key(Number())

    def finish(self) -> None:
        forms = ("strength", "formula", "log_weight", "overlap")
        found = [form for form in forms if getattr(self, form) is not None]
        if len(found) != 1:
            raise SpecError(f"takes exactly one of {' '.join(forms)}, found {' '.join(found) or 'none'}")


class Kinded(Entry):
    """A record chosen by its `kind`; a bare text is a kind without parameters."""

    def __init__(self, what: str, kinds: Mapping[str, type[Record]]) -> None:
        self.what, self.kinds = what, kinds

    def read(self, raw: Any) -> Record:
        if isinstance(raw, tuple(self.kinds.values())):
            assert isinstance(raw, Record)
            return raw
        raw = {"kind": raw} if isinstance(raw, str) else raw
        if not isinstance(raw, Mapping) or not isinstance(raw.get("kind"), str):
            raise SpecError(f"{self.what} needs 'kind' ({' '.join(self.kinds)}), found {shown(raw)}")
        if raw["kind"] not in self.kinds:
            raise SpecError(unknown(self.what, raw["kind"], self.kinds, "kinds"))
        return self.kinds[raw["kind"]].from_table({k: v for k, v in raw.items() if k != "kind"})

    def mentions(self, value: Any) -> Iterator[Mention]:
        yield from value.mentions()


class Target(Entry):
    """A word, or the latent that is to be found."""

    def read(self, raw: Any) -> str:
        if not is_name(raw):
            raise SpecError(f"must be one of {' '.join(TARGETS)}, or a latent, found {shown(raw)}")
        return str(raw)

    def mentions(self, value: Any) -> Iterator[Mention]:
        yield Mention((), value, "target")


class Believes(Entry):
    """Where a learner's model differs from the truth: `kind = "empirical"`, a channel, priors of latents, parameters of the law."""

    def read(self, raw: Any) -> Table:
        if not isinstance(raw, Mapping) or not raw:
            raise SpecError(f"must be a table such as {{ filter = 2 }} or {{ channel = {{ ... }} }}, found {shown(raw)}")
        found = {}
        for word, item in raw.items():
            try:
                found[word] = self._entry(word, item).read(item)
            except SpecError as error:
                raise error.under(str(word)) from None
        return Table(found)

    def _entry(self, word: str, item: Any) -> Entry:
        if not is_name(word):
            raise SpecError("is not a name")
        if word == "kind":
            return Text(("empirical",))
        if word == "channel":
            return Slot("channel")
        prior = isinstance(item, Mapping | Ingredient) or isinstance(item, str) and item in slot_kinds("prior")
        return Slot("prior") if prior else Number()

    def mentions(self, value: Any) -> Iterator[Mention]:
        for word, item in value.items():
            if word not in ("kind", "channel"):
                yield Mention((word,), word, "latent" if isinstance(item, Ingredient) else "law_parameter")
            for mention in self._entry(word, item).mentions(item):
                yield mention.under(word)


@dataclass(frozen=True)
class Learner(Record):
    """A kind of weight vector and how it learns.  Absent keys mean what SPEC.md section 3 says; `Spec.expand` fills them in.

    Args:
        like: the learner whose table is copied first.
        on: the slices or groups it sees.
        protocol, loss, regularizer, prior, network: its ingredients.
        believes: where its model differs from the truth.
        blocks: the coordinates it sees.
        target: what it learns to give.
        couple: couplings to others.
        copies: number of real replicas.
        self_overlap: the imposed value of |w|^2/d.
        ensemble: shorthand for several learners, such as a reference and a probe.
        start: initial condition of a simulated run.
        theory: "none" where the learner is only simulated.
        reason: why it has no theory.
    """

    title = "learner"
    like: str | None = key(Name("learner"))
    on: Any = key(Several(Name("slice|group"), distinct=True))
    protocol: Any = key(Slot("protocol"))
    loss: Any = key(Slot("loss"))
    regularizer: Any = key(Slot("regularizer"))
    prior: Any = key(Slot("prior"))
    network: Any = key(Slot("network"))
    believes: Any = key(Believes())
    blocks: Any = key(Several(Name("block"), distinct=True))
    target: str | None = key(Target())
    couple: Any = key(Several(One(Coupling)))
    copies: Value | None = key(Number("[1, inf]"))
    self_overlap: Value | None = key(Number("(0, inf)"))
    ensemble: Any = key(Slot("ensemble"))
    start: Value | None = key(Either(Named(Number()), Number()))
    theory: str | None = key(Text(("none",)))
    reason: str | None = key(Text())


Student = Learner


@dataclass(frozen=True)
class Stage(Record):
    """Who trains on what, for how long; the order of stages is the order of time.

    Args:
        name: how other tables call it.
        learners, on: all of them if absent.
        time: duration, for flows and one-pass learning.
        start: "previous" weights or "fresh" ones.
        protocol, loss, regularizer, couple: replace the learner's own while the stage lasts.
    """

    title = "stage"
    name: Any = key(Name("stage"), required=True)
    learners: Any = key(Several(Name("learner"), distinct=True))
    on: Any = key(Several(Name("slice|group"), distinct=True))
    time: Value | None = key(Number("(0, inf]"))
    start: str | None = key(Text(("previous", "fresh")))
    protocol: Any = key(Slot("protocol"))
    loss: Any = key(Slot("loss"))
    regularizer: Any = key(Slot("regularizer"))
    couple: Any = key(Several(One(Coupling)))
