"""The tables of a spec side by side, as they are written or as they are expanded; `Spec` adds what one does with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from replica.ingredients import Table
from replica.spec.entries import Named, One, Several, Text
from replica.spec.ingredient_entries import Slot
from replica.spec.learners import Learner, Stage
from replica.spec.observables import ObservableEntry
from replica.spec.records import Record, key
from replica.spec.run import Run
from replica.spec.tables import Block, Control, Data, Group, Latent, Slice, Teacher

ASSUMPTIONS = ("gaussian_equivalence", "small_step")


@dataclass(frozen=True)
class Tables(Record):
    """Every table that a spec may have; absent tables of names are empty."""

    title = "spec"
    name: str = key(Text(), required=True)
    notes: str | None = key(Text())
    assume: Any = key(Several(Text(ASSUMPTIONS), distinct=True))
    teacher: Teacher | None = key(One(Teacher))
    student: Learner | None = key(One(Learner))
    data: Data | None = key(One(Data))
    blocks: Mapping[str, Block] = key(Named(One(Block)), named="block")
    latents: Mapping[str, Latent] = key(Named(One(Latent)), named="latent")
    slices: Mapping[str, Slice] = key(Named(One(Slice)), named="slice")
    groups: Mapping[str, Group] = key(Named(One(Group)), named="group")
    learners: Mapping[str, Learner] = key(Named(One(Learner)), named="learner")
    stages: Any = key(Several(One(Stage)), named="stage")
    ansatz: Any = key(Slot("ansatz"))
    observables: Mapping[str, Any] = key(Named(ObservableEntry()))
    controls: Mapping[str, Control] = key(Named(One(Control)))
    run: Run | None = key(One(Run))

    def finish(self) -> None:
        for name in ("blocks", "latents", "slices", "groups", "learners", "observables", "controls"):
            if getattr(self, name) is None:
                object.__setattr__(self, name, Table())
        if self.stages is None:
            object.__setattr__(self, "stages", ())
