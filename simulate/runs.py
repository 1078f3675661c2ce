"""Finite systems of a spec, drawn, trained and measured: sizes x seeds x observables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import xarray as xr

from simulate.algorithms import ALGORITHMS
from simulate.draw import bound, draw, generator, is_disorder, is_formula, number
from simulate.draw.selection import at_random, selects
from simulate.draw.system import samples
from simulate.instance import Instance, Unsupported
from simulate.iteration import Record
from simulate.iteration.options import options_of
from simulate.iteration.solver import WORKERS, class_of, stepper
from simulate.learn.estimate import Outcome
from simulate.measure import measure_all
from simulate.own_data import instance_of, measure_own

_SIZES, _SEEDS = (250, 500, 1000), 16
_TRAINED = ("erm", "adam")  # protocols that end in one vector of weights
_HELD = 2**30  # bytes of inputs held at once


@dataclass(frozen=True)
class Row:
    """One observable of one run."""

    size: int
    seed: int
    observable: str
    value: float


@dataclass(frozen=True)
class Failure:
    """One run that may not be used, and why."""

    size: int
    seed: int
    sentence: str


@dataclass(frozen=True)
class Runs:
    """Measurements at one point.

    Args:
        spec: the expanded spec.
        at: value of every control.
        rows: one per size, seed and observable; of failed runs there is at most whether they succeeded (0) and after how many steps.
        failures: the runs left out.
        algorithm: how the systems were solved.
        power: finite systems approach their limit as 1/d to this power.
        records: (size, seed) -> status, time and history, of algorithms that take steps.
    """

    spec: Any = field(repr=False)
    at: Mapping[str, float]
    rows: tuple[Row, ...] = field(repr=False)
    failures: tuple[Failure, ...] = ()
    algorithm: str = ""
    power: float = 1.0
    records: Mapping[tuple[int, int], Record] = field(default_factory=dict, repr=False)

    @property
    def observables(self) -> tuple[str, ...]:
        """Names, in order of first appearance."""
        return tuple(dict.fromkeys(row.observable for row in self.rows))

    @property
    def sizes(self) -> tuple[int, ...]:
        return tuple(sorted({row.size for row in self.rows}))

    @property
    def succeeded(self) -> bool:
        """Whether any run did."""
        return bool({(row.size, row.seed) for row in self.rows} - {(one.size, one.seed) for one in self.failures})

    def values(self, observable: str, size: int) -> np.ndarray:
        """The measurements of one observable at one size, one per seed that did not fail."""
        return np.array([row.value for row in self.rows if row.observable == observable and row.size == size])

    def history(self, observable: str, size: int) -> tuple[np.ndarray, np.ndarray]:
        """(steps, values) of one size, values of shape (runs, steps) at the steps that any run kept; NaN where one did not."""
        kept = {seed: record.history for (d, seed), record in self.records.items() if d == size and observable in record.history}
        steps = np.unique(np.concatenate([h["step"] for h in kept.values()])) if kept else np.zeros(0)
        table = np.full((len(kept), len(steps)), np.nan)
        for row, h in enumerate(kept.values()):
            table[row, np.searchsorted(steps, h["step"])] = h[observable]
        return steps, table

    def to_xarray(self) -> xr.Dataset:
        """One variable per observable over (size, seed), NaN where a run failed; `failed` holds the sentences."""
        sizes = sorted({r.size for r in self.rows} | {f.size for f in self.failures})
        seeds = sorted({r.seed for r in self.rows} | {f.seed for f in self.failures})
        tables = {name: np.full((len(sizes), len(seeds)), np.nan) for name in self.observables}
        for row in self.rows:
            tables[row.observable][sizes.index(row.size), seeds.index(row.seed)] = row.value
        failed = np.full((len(sizes), len(seeds)), "", dtype=object)
        for failure in self.failures:
            failed[sizes.index(failure.size), seeds.index(failure.seed)] = failure.sentence
        variables: dict[str, Any] = {name: (("size", "seed"), table) for name, table in tables.items()}
        variables["failed"] = (("size", "seed"), failed)
        coordinates: dict[str, Any] = {"size": sizes, "seed": seeds}
        if self.records:
            coordinates["step"], histories = self._histories(sizes, seeds)
            variables |= {f"{name}_history": (("size", "seed", "step"), table) for name, table in histories.items()}
        attributes = {"name": self.spec.name, "fingerprint": self.spec.fingerprint, "algorithm": self.algorithm}
        return xr.Dataset(variables, coordinates, attributes | {f"at.{k}": float(v) for k, v in self.at.items()})

    def _histories(self, sizes: Sequence[int], seeds: Sequence[int]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """All steps that any run kept, and each observable of the histories over (size, seed, step)."""
        kept = {key: record.history for key, record in self.records.items()}
        steps = np.unique(np.concatenate([h["step"] for h in kept.values()]))
        tables = {name: np.full((len(sizes), len(seeds), len(steps)), np.nan) for h in kept.values() for name in h if name != "step"}
        for (size, seed), h in kept.items():
            for name in set(h) - {"step"}:
                tables[name][sizes.index(size), seeds.index(seed), np.searchsorted(steps, h["step"])] = h[name]
        return steps, tables


Solver = Callable[[Sequence[Instance], str, Mapping[str, float]], list[Outcome]]


def simulate(
    spec: Any,
    at: Mapping[str, float] | None = None,
    sizes: Sequence[int] | None = None,
    seeds: int | Sequence[int] | None = None,
    algorithm: str | None = None,
    device: str = "cpu",
    progress: Callable[[int, int], None] | None = None,
    options: Mapping[str, Any] | None = None,
    resume: str | Path | None = None,
    data: tuple[Any, ...] | None = None,
    watch: Callable[[Instance, Outcome], None] | None = None,
) -> Runs:
    """Draw, train and measure finite systems of a spec at one point.

    Args:
        at: controls that differ from their defaults.
        sizes: values of d; the spec's own if absent.
        seeds: how many, or which; the spec's own if absent.
        algorithm: a name of `simulate.algorithms`; chosen by what the spec is if absent (see `usual`).  Its options are those of the
            algorithm of the same name in the spec's run plan, where there is one, and the defaults of its kind.
        device: "cpu" or "cuda", for training by torch.
        progress: called with (runs done, runs in all).
        options: of the algorithm, in place of those of the run plan.
        resume: folder in which the runs of algorithms that take steps are kept, and taken up again where they were.
        data: (X, y) in place of drawn samples, or (formula,) of drawn clauses (see `simulate.own_data`); a seed is then one run of the
            algorithm, one if absent.
        watch: called with every system that did not fail, and what came out.

    Raises:
        Unsupported: the spec has parts without a finite system, or the data do not fit it.
    """
    spec = spec.expand()
    point = spec.at(at or {})
    own = None if data is None else instance_of(spec, point, *data)
    if own is not None:
        point, sizes, seeds = dict(own.at), (own.size,), 1 if seeds is None else seeds
    sizes, numbers = plan(spec, sizes, seeds, point)
    name = algorithm or usual(spec, point, device)
    if hasattr(_module(name), "paths"):  # followed in time
        return import_module("simulate.online.runs").simulate(spec, point, sizes, numbers, name, device, progress)
    stepping = class_of(_module(name))
    if stepping is not None and not stepping.takes(spec, point):
        stepping = None
    if is_formula(spec) and stepping is None:
        raise Unsupported(f"algorithm {name!r} does not take these clauses; `replica list algorithms` shows which search weights of signs")
    if resume is not None and stepping is None:
        raise Unsupported(f"algorithm {name!r} takes no steps that a run could be resumed from")
    records: dict[tuple[int, int], Record] = {}
    settings = options_of(spec, name, point, options or {}) if stepping or options else _options(spec, name, point)
    solve = _solver(name) if stepping is None else stepper(name, stepping, resume, records)
    pooled = selects(spec) and not getattr(import_module(ALGORITHMS[name]), "SELECTS", False)
    rows: list[Row] = []
    failures: list[Failure] = []
    done = 0
    for d in sizes:
        for batch in _batches(spec, point, d, numbers, len(numbers) if stepping is None else WORKERS):
            instances = [draw(spec, point, d, seed) if own is None else replace(own, seed=seed) for seed in batch]
            if pooled:
                instances = [at_random(instance) for instance in instances]
            for instance, outcome in zip(instances, solve(instances, device, settings), strict=True):
                if (record := records.get((d, instance.seed))) is not None:
                    rows += [Row(d, instance.seed, "success", float(record.status.ok)), Row(d, instance.seed, "steps", float(record.steps))]
                if outcome.failure:
                    failures.append(Failure(d, instance.seed, outcome.failure))
                else:
                    if watch is not None:
                        watch(instance, outcome)
                    test = generator(spec.fingerprint, point, d, instance.seed, "test")
                    found = measure_all(instance, outcome, test) if own is None else measure_own(instance, outcome)
                    rows += [Row(d, instance.seed, key, value) for key, value in found.items()]
                done += 1
            if progress is not None:
                progress(done, len(sizes) * len(numbers))
    return Runs(spec, point, tuple(rows), tuple(failures), name, _correction(spec, point), records)


def plan(
    spec: Any, sizes: Sequence[int] | None, seeds: int | Sequence[int] | None, at: Mapping[str, float]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Sizes and seeds: those given, else those of the run plan, else the one that a law fixes or the usual ones."""
    run = spec.run
    laws = [part.law for part in spec.slices.values() if getattr(part.law, "dimension", None) is not None]
    usual_sizes = tuple({int(number(law.dimension, at)) for law in laws}) or _SIZES
    found = tuple(sizes or (getattr(run, "sizes", None) if run is not None else None) or usual_sizes)
    chosen = seeds if seeds is not None else (getattr(run, "seeds", None) if run is not None else None) or _SEEDS
    return found, tuple(range(chosen)) if isinstance(chosen, int) else tuple(chosen)


def only_learner(spec: Any) -> Any:
    """The learner of a spec that has one.

    Raises:
        Unsupported: several learners or stages.
    """
    if len(spec.learners) != 1 or len(spec.stages) > 1:
        raise Unsupported(f"{len(spec.learners)} learners in {len(spec.stages)} stages cannot be simulated so, one of each can")
    return next(iter(spec.learners.values()))


def usual(spec: Any, at: Mapping[str, float], device: str = "cpu") -> str:
    """The algorithm that is taken where none is named: what suits the data, the number of learners and the protocol."""
    learners = list(spec.learners.values())
    protocols = [*(learner.protocol for learner in learners), *(stage.protocol for stage in spec.stages if stage.protocol is not None)]
    if any(protocol.kind == "sgd" for protocol in protocols):
        return "sgd"
    if any(protocol.kind == "online_sgd" for protocol in protocols):
        large = any(number(getattr(protocol, "batch", 1), at) > 1 for protocol in protocols)
        return "online_autograd" if large or device != "cpu" else "online_sgd"
    if is_disorder(spec):
        return "annealing"
    if is_formula(spec):
        warm = any(protocol.kind == "gibbs" and np.isfinite(number(protocol.beta, at)) for protocol in protocols)
        return "bp" if warm else "focusing_bp"
    if all(learner.protocol.kind in _TRAINED and learner.prior is None for learner in learners):
        return "erm"
    if selects(spec) and learners[0].prior is not None and learners[0].prior.kind in ("binary", "discrete"):
        return "enumeration"
    if len(learners) > 1:
        return "enumeration" if any(learner.couple for learner in learners) else "hit_and_run"
    if learners[0].protocol.kind == "erm":
        return "annealing" if learners[0].prior is not None else "erm"
    return "monte_carlo" if learners[0].self_overlap is not None else "amp"


def _batches(spec: Any, at: Mapping[str, float], d: int, seeds: tuple[int, ...], most: int) -> Iterator[tuple[int, ...]]:
    if is_disorder(spec):
        entries = max(d ** bound(part.law, at).order() for part in spec.slices.values())
    else:
        entries = d * sum(samples(part, at, d) for part in spec.slices.values())
    size = max(1, min(most, _HELD // (8 * entries)))
    for i in range(0, len(seeds), size):
        yield seeds[i : i + size]


def _correction(spec: Any, at: Mapping[str, float]) -> float:
    if not is_disorder(spec):
        return 1.0
    protocols = [learner.protocol for learner in spec.learners.values()]
    betas = [np.inf if one.kind == "erm" else number(one.beta, at) if one.kind == "gibbs" else 1.0 for one in protocols]
    return min(bound(part.law, at).correction(max(betas)) for part in spec.slices.values())


def _options(spec: Any, name: str, at: Mapping[str, float]) -> dict[str, float]:
    """The numbers that the run plan gives the algorithm of this name."""
    for one in (getattr(spec.run, "algorithms", None) or ()) if spec.run is not None else ():
        if one.kind == name:
            given = {entry.name: getattr(one, entry.name) for entry in one.parameters()}
            return {name: number(value, at) for name, value in given.items() if value is not None}
    return {}


def _module(name: str) -> ModuleType:
    """The algorithm's module, imported when it is wanted: torch takes seconds and hundreds of megabytes."""
    if name not in ALGORITHMS:
        raise Unsupported(f"algorithm {name!r} is not known here (known: {' '.join(ALGORITHMS)})")
    return import_module(ALGORITHMS[name])


def _solver(name: str) -> Solver:
    """The function that solves instances."""
    module = _module(name)
    if hasattr(module, "solve"):
        return module.solve

    def of_one_learner(instances: Sequence[Instance], device: str, options: Mapping[str, float]) -> list[Outcome]:
        spec = instances[0].spec
        learner = only_learner(spec)
        if is_disorder(spec):
            raise Unsupported(f"algorithm {name!r} needs samples; couplings between weights can be annealed or enumerated")
        (one,) = spec.learners
        return [Outcome({one: found}, failure=found.failure) for found in module.train(instances, learner, device, **options)]

    return of_one_learner
