"""Observables that a spec may declare: averages, overlaps, combinations of them, and the built-in kinds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from replica.spec.entries import Entry, Formula, Name, Named, Number, Several, Text
from replica.spec.errors import SpecError, shown, unknown
from replica.spec.learners import Kinded
from replica.spec.records import Mention, Record, key, keys_of

Value = float | int | str


class Observable(Record):
    """A named quantity that is derived and measured."""

    title = "observable"


class Condition(Entry):
    """A comparison in the variables of an average."""

    def read(self, raw: Any) -> str:
        if not isinstance(raw, str):
            raise SpecError(f"must be a comparison in quotes such as 'y > 0', found {shown(raw)}")
        return raw.strip()

    def mentions(self, value: Any) -> Iterator[Mention]:
        yield Mention((), value, "condition", variables=("y", "z", "z_"))


@dataclass(frozen=True)
class Average(Observable):
    """The average over test samples of a formula in y, z, z_NAME and `loss`, in a slice or group, for a learner, where `given` holds."""

    average: str | None = key(Formula(("y", "z", "z_", "loss")), required=True)
    on: str | None = key(Name("slice|group"))
    learner: str | None = key(Name("learner"))
    given: str | None = key(Condition())


_TWO = Several(Name("vector"), pair=True)


@dataclass(frozen=True)
class Overlap(Observable):
    """a.b/d of two learners or latents."""

    overlap: tuple[str, str] | list[str] | None = key(_TWO, required=True)


@dataclass(frozen=True)
class Cosine(Observable):
    """a.b/(|a||b|) of two learners or latents."""

    cosine: tuple[str, str] | list[str] | None = key(_TWO, required=True)


@dataclass(frozen=True)
class Combination(Observable):
    """A formula of other observables and controls."""

    formula: str | None = key(Formula(kind="combination"), required=True)


@dataclass(frozen=True)
class Between(Observable):
    """A comparison of the outputs of two learners."""

    between: tuple[str, str] | list[str] | None = key(Several(Name("learner"), pair=True), required=True)


STANDARD = {
    "generalization_error": "Probability of a wrong label of a new sample.",
    "mse": "Mean squared error of a new real label, noise included.",
    "training_loss": "Loss per training sample.",
    "training_error": "Wrong labels per training sample.",
    "overlap": "Cosine with the teacher.",
    "estimation_mse": "|w - w*|^2/d.",
    "free_entropy": "lim (1/d) E log Z.",
    "entropy": "Entropy per weight.",
    "energy": "Energy per weight.",
    "complexity": "Log-number of states or centres per weight.",
    "local_entropy": "Log-number of solutions around the reference, per weight.",
    "log_volume": "Log-volume of the solutions per weight.",
    "replicon": "Stability of the ansatz; negative where it is unstable.",
    "spectrum": "Density of the eigenvalues that rule the relaxation.",
    "token_entropy": "Entropy of the next token in nats.",
}
"""The standard observables, which exist without being named, and their meaning."""


@dataclass(frozen=True)
class Standard(Observable):
    """A standard observable under a name of its own; of one learner where there are several."""

    kind: str | None = key(Text(tuple(STANDARD)), required=True)
    learner: str | None = key(Name("learner"))


@dataclass(frozen=True)
class Agreement(Between):
    """Probability that two learners give the same label."""

    kind: ClassVar[str] = "agreement"


@dataclass(frozen=True)
class Divergence(Between):
    """Kullback-Leibler divergence between the predictions of two learners."""

    kind: ClassVar[str] = "divergence"


@dataclass(frozen=True)
class Similarity(Between):
    """Similarity of the representations of two networks at a layer."""

    kind: ClassVar[str] = "similarity"
    layer: Value | None = key(Number("integers [0, inf)"))
    measure: str | None = key(Text(("cka", "intrinsic_dimension", "information_imbalance", "neighborhood_overlap")))


@dataclass(frozen=True)
class GeodesicEnergy(Observable):
    """Energy on the geodesic between two solutions, at the position `at`."""

    kind: ClassVar[str] = "geodesic_energy"
    vertices: tuple[str, str] | list[str] | None = key(Several(Name("learner"), pair=True), required=True)
    at: Value | None = key(Number("[0, 1]"), required=True)
    margin: Value | None = key(Number())


@dataclass(frozen=True)
class Bound(Observable):
    """A published bound on a complexity."""

    kind: ClassVar[str] = "bound"
    by: str | None = key(Text(("low_rank", "golowich")), required=True)
    constants: Mapping[str, Value] | None = key(Named(Number()))


@dataclass(frozen=True)
class Cost(Observable):
    """Bytes sent or operations done by a way of learning together."""

    kind: ClassVar[str] = "cost"
    what: str | None = key(Text(("bytes", "flops")), required=True)
    of: str | None = key(Text(("federated", "split_federated", "centralized")), required=True)


@dataclass(frozen=True)
class RelaxationTime(Observable):
    """Time at which the excess loss on `on` has relaxed by the part `level`."""

    kind: ClassVar[str] = "relaxation_time"
    on: str | None = key(Name("slice|group"))
    level: Value | None = key(Number("(0, 1)"))


@dataclass(frozen=True)
class SpeciationTime(Observable):
    """Time of the backward process at which a group separates."""

    kind: ClassVar[str] = "speciation_time"
    group: str | None = key(Name("group"), required=True)
    criterion: str | None = key(Text(("minimum_exists", "posterior_half")))


@dataclass(frozen=True)
class Blend(Observable):
    """Error of the ridge blend of several learners' predictions."""

    kind: ClassVar[str] = "blend"
    of: tuple[str, ...] | list[str] | None = key(Several(Name("learner"), distinct=True), required=True)
    strength: Value | None = key(Number("[0, inf)"))


@dataclass(frozen=True)
class OfLearner(Observable):
    """A quantity of one learner, which is named."""

    of: str | None = key(Name("learner"), required=True)


@dataclass(frozen=True)
class ColumnNorm(Observable):
    """Norm of the first-layer weights of a block."""

    kind: ClassVar[str] = "column_norm"
    block: str | None = key(Name("block"), required=True)
    learner: str | None = key(Name("learner"))


@dataclass(frozen=True)
class NearestTrainDistance(OfLearner):
    """Distance of generated samples to the nearest training sample."""

    kind: ClassVar[str] = "nearest_train_distance"


@dataclass(frozen=True)
class BooleanMeanDimension(OfLearner):
    """Boolean mean dimension of the pre-activation."""

    kind: ClassVar[str] = "boolean_mean_dimension"


@dataclass(frozen=True)
class ElboGap(OfLearner):
    """Gap between the evidence and its lower bound."""

    kind: ClassVar[str] = "elbo_gap"


FORMS: Mapping[str, type[Observable]] = {"average": Average, "overlap": Overlap, "cosine": Cosine, "formula": Combination}
KINDS: Mapping[str, type[Observable]] = {
    "agreement": Agreement, "divergence": Divergence, "similarity": Similarity, "geodesic_energy": GeodesicEnergy, "bound": Bound,
    "cost": Cost, "relaxation_time": RelaxationTime, "speciation_time": SpeciationTime, "blend": Blend, "column_norm": ColumnNorm,
    "nearest_train_distance": NearestTrainDistance, "boolean_mean_dimension": BooleanMeanDimension, "elbo_gap": ElboGap,
    **dict.fromkeys(STANDARD, Standard),
}


class ObservableEntry(Kinded):
    """A form (average, overlap, cosine, formula), or a built-in kind."""

    def __init__(self) -> None:
        super().__init__("observable", KINDS)

    def read(self, raw: Any) -> Record:
        if isinstance(raw, Observable):
            return raw
        if isinstance(raw, Mapping) and "kind" not in raw:
            for form, cls in FORMS.items():
                if form in raw:
                    return cls.from_table(raw)
            words = [word for cls in FORMS.values() for word in keys_of(cls)]
            first = next(iter(raw), None)
            if isinstance(first, str) and first not in words:
                raise SpecError(unknown("key", first, words, "takes"), (first,))
            raise SpecError(f"needs 'kind' or one of {' '.join(FORMS)}")
        raw = {"kind": raw} if isinstance(raw, str) else raw
        if isinstance(raw, Mapping) and isinstance(raw["kind"], str) and raw["kind"] in STANDARD:
            return Standard.from_table(raw)
        return super().read(raw)
