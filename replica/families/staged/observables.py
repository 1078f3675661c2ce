"""What is measured on structured data: averages over new samples of every cell, overlaps, training losses, and what a spec declares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sympy as sp

from replica.families.staged.problem import FIELD, Cell, Problem, Vector
from replica.families.staged.samples import Samples
from replica.families.staged.weights import Weights
from replica.formula import names_in, parse, parse_condition
from replica.labels import SIGNS, DiscreteLabels, RealLabels
from replica.spec.observables import Agreement, Average, BooleanMeanDimension, Combination, Cosine, Overlap, Standard

HALF = sp.Rational(1, 2)


@dataclass
class Measured:
    """Observables in the order parameters of a problem.

    Args:
        declared_records: observables that the spec declares.
        controls: what control names mean.
    """

    samples: Samples
    weights: list[Weights]
    records: Mapping[str, Any]
    controls: Mapping[str, sp.Expr]

    @property
    def problem(self) -> Problem:
        return self.samples.problem

    @property
    def final(self) -> list[Vector]:
        """The weights with which every learner ends."""
        last: dict[str, Vector] = {v.learner: v for v in self.problem.vectors}
        return list(last.values())

    # averages ---------------------------------------------------------------------------------------------------

    def population(self, on: str | None = None) -> list[tuple[sp.Expr, Cell]]:
        """(share, cell) of a slice or a group; all of the last slice where nothing is said."""
        cells = self.problem.cells
        if on is None:  # what the last stage learns from
            last = max(v.stage for v in self.problem.vectors)
            slices = {key[0] for v in self.problem.vectors if v.stage == last for key in v.losses}
            chosen = [c for c in cells if c.slice in slices]
        elif any(c.slice == on for c in cells):
            chosen = [c for c in cells if c.slice == on]
        else:
            chosen = [c for c in cells if c.group == on]
            chosen = [c for c in chosen if c.slice == chosen[-1].slice]
        weights = [c.alpha for c in chosen] if len({c.slice for c in chosen}) > 1 else [c.share for c in chosen]
        total = sp.simplify(sp.Add(*weights))
        return [(sp.S.One if len(chosen) == 1 else weight / total, c) for weight, c in zip(weights, chosen, strict=True)]

    def over(self, population: list[tuple[sp.Expr, Cell]], body: Callable[[Cell, sp.Expr], sp.Expr]) -> sp.Expr:
        """E body(cell, y) over new samples, whose fields are those of the weights as they are."""
        return sp.Add(*(share * self.samples.average(c, body(c, self.samples.label(c))) for share, c in population))

    # standard ---------------------------------------------------------------------------------------------------

    def standard(self) -> dict[str, sp.Expr]:
        found: dict[str, sp.Expr] = {}
        for v in self.problem.vectors:
            own = self._of(v)
            found |= own if len(self.problem.vectors) == 1 else {f"{key}[{v.name}]": value for key, value in own.items()}
        return found

    def _of(self, v: Vector) -> dict[str, sp.Expr]:
        found: dict[str, sp.Expr] = {}
        population = self.population()
        kinds = {_labels(c) for _, c in population}
        if kinds == {"signs"}:
            found["generalization_error"] = self.over(population, lambda c, y: sp.Heaviside(-y * self.samples.field(c, v.name), HALF))
        elif kinds == {"real"}:
            found["mse"] = self.over(population, lambda c, y: (y - self.samples.field(c, v.name)) ** 2)
        truths = {c.of for c in self.problem.cells}
        if not any(site.reads for site in self.problem.sites) and len(truths) == 1 and (truth := next(iter(truths))) is not None:
            m, q, rho = self.overlap(v.name, truth), self.overlap(v.name, v.name), self._second(truth, truth)
            found |= {"overlap": m / sp.sqrt(rho * q), "estimation_mse": rho - 2 * m + q}
        seen = [c for c in self.problem.cells if c.key in v.losses]
        total = sp.Add(*(c.alpha for c in seen))
        found["training_loss"] = sp.Add(*(c.alpha / total * self.samples.average(c, self.samples.loss(c, v.name)) for c in seen))
        if all(_labels(c) in ("signs", "random") for c in seen):
            wrong = (
                c.alpha / total * self.samples.average(c, sp.Heaviside(-self.samples.label(c) * self.samples.point(c, v.name), HALF))
                for c in seen
            )
            found["training_error"] = sp.Add(*wrong)
        return found

    # overlaps ---------------------------------------------------------------------------------------------------

    def overlap(self, a: str, b: str) -> sp.Expr:
        """a.b/d of vectors or latents."""
        problem, names = self.problem, self.samples.names
        vectors = {v.name for v in problem.vectors}
        if a not in vectors and b not in vectors:
            return self._second(a, b)
        if b in vectors and a not in vectors:
            a, b = b, a
        if b in vectors and (features := problem.mixed(problem.own(a)[0].name)) is not None:
            return names.q(features.name, a, b)
        plain = all(set(s.profile.values()) <= {sp.S.One, sp.S.Zero} for s in problem.sites)  # base profiles are blocks: parts of d
        if plain:
            alive = [k for k in problem.bases if any(s.profile[k] != 0 and _here(s.name, a, b, problem) for s in problem.sites)]
            return sp.Add(*(problem.sizes[k] * (names.q(k, a, b) if b in vectors else names.m(k, a, b)) for k in alive))
        here = [w for w in self.weights if _here(w.site.name, a, b, problem)]
        count = problem.counts.get(problem.vector(a).learner, sp.S.One)
        return sp.Add(*(w.site.total(w.second(a, b) if b in vectors else w.overlap(a, b)) for w in here)) / count

    def lengths(self) -> dict[str, sp.Expr]:
        """|w|^2 per coordinate where the order parameters are those of fields."""
        several = len(self.problem.vectors) > 1
        plain = [v for v in self.problem.vectors if not self.problem.own(v.name)[0].reads]
        return {f"q[{v.name},{v.name}]" if several else "q": self.overlap(v.name, v.name) for v in plain}

    def _second(self, s: str, t: str) -> sp.Expr:
        return sp.Add(*(site.total(site.moment(s, t)) for site in self.problem.sites))

    # declared ---------------------------------------------------------------------------------------------------

    def declared(self, found: Mapping[str, sp.Expr]) -> dict[str, sp.Expr]:
        """The declared observables that this family gives; built-in kinds of other families are left to them."""
        known = dict(found)
        for name, record in self.records.items():
            value = self._one(known, record) if self._has(record) else None
            if value is not None:
                known[name] = value
        return {name: value for name, value in known.items() if name not in found}

    def _has(self, record: Any) -> bool:
        """Whether everybody that it asks for has a theory here."""
        here = {v.learner for v in self.problem.vectors} | {v.name for v in self.problem.vectors} | set(self.problem.latents)
        asked = [getattr(record, key, None) for key in ("learner", "of")]
        asked += [name for key in ("overlap", "cosine", "between") for name in getattr(record, key, None) or ()]
        words = names_in(f"{getattr(record, 'average', None) or 0} + {getattr(record, 'formula', None) or 0}")
        absent = {word for word in words if word.startswith("z_") and word[2:] not in here} - set(map(str, self.controls))
        return all(name is None or name in here for name in asked) and not absent

    def _one(self, known: Mapping[str, sp.Expr], record: Any) -> sp.Expr | None:
        if isinstance(record, Average):
            return self._average(record)
        if isinstance(record, Overlap):
            a, b = record.overlap or ("", "")
            return self.overlap(self._vector(a), self._vector(b))
        if isinstance(record, Cosine):
            a, b = (self._vector(x) for x in record.cosine or ("", ""))
            return self.overlap(a, b) / sp.sqrt(self.overlap(a, a) * self.overlap(b, b))
        if isinstance(record, Agreement):
            a, b = (self._vector(x) for x in record.between or ("", ""))
            field = self.samples.field
            population = self.population()  # as products: each field's kink is then its own
            both = self.over(population, lambda c, y: sp.Heaviside(field(c, a), HALF) * sp.Heaviside(field(c, b), HALF))
            return both + self.over(population, lambda c, y: sp.Heaviside(-field(c, a), HALF) * sp.Heaviside(-field(c, b), HALF))
        if isinstance(record, BooleanMeanDimension):
            return self._mean_dimension(self._vector(record.of or ""))
        if isinstance(record, Combination):
            return parse(record.formula or "", {**self.controls, **known})
        if isinstance(record, Standard):
            name = self._vector(record.learner) if record.learner else self.final[-1].name
            return known.get(f"{record.kind}[{name}]", known.get(record.kind or ""))
        return None

    def _mean_dimension(self, name: str) -> sp.Expr | None:
        """Of the pre-activation: degrees that a feature's activation adds to its linear part, weighted with the power they carry.

        Source: the variance of a flip of one input, sum_i E (f(x) - f(x^i))^2 / (4 Var f), with E s'^2 for the slope of a feature.
        """
        learner = self.problem.vector(name).learner
        if learner not in self.problem.degrees:
            return None
        return 1 + self.problem.degrees[learner] * self.overlap(name, name) / self.samples.names.q(FIELD, name, name)

    def _vector(self, name: str) -> str:
        return next((v.name for v in self.final if v.learner == name), name)

    def _average(self, record: Average) -> sp.Expr:
        population = self.population(record.on)
        only = self.final[0].name if len(self.final) == 1 else None
        speaker = self._vector(record.learner) if record.learner else only

        def words(c: Cell, y: sp.Expr) -> dict[str, sp.Expr]:
            fields = {f"z_{v.learner}": self.samples.field(c, v.name) for v in self.final}
            found = {**self.controls, **fields, "y": y}
            if speaker is not None:
                found["z"] = self.samples.field(c, speaker)
                losses = self.problem.vector(speaker).losses
                found["loss"] = losses.get(c.key, next(iter(losses.values())))(y, found["z"])
            return found

        def body(c: Cell, y: sp.Expr) -> sp.Expr:
            return parse(record.average or "", words(c, y))

        value = self.over(population, body)
        if record.given is None:
            return value
        condition = record.given

        def holds(c: Cell, y: sp.Expr) -> sp.Expr:
            return sp.Piecewise((sp.S.One, parse_condition(condition, words(c, y))), (sp.S.Zero, True))

        return self.over(population, lambda c, y: body(c, y) * holds(c, y)) / self.over(population, holds)

    # domain -----------------------------------------------------------------------------------------------------

    def positive(self) -> list[sp.Expr]:
        """What the vectors leave open of the label's field, and determinants of pairs of fields."""
        found = []
        for c in self.problem.cells:
            for v in self.problem.vectors:
                if c.key in v.losses:
                    found.append(self.samples.covariance(c, v.name, v.name))
                if c.of is not None and c.key in v.losses:
                    found.append(self.samples.teacher(c, (v.name,)).A)
                for other in self.problem.fields(c.key, v.name)[:-1] if c.key in v.losses else ():
                    Q = self.samples.covariance
                    found.append(Q(c, v.name, v.name) - Q(c, v.name, other) ** 2 / Q(c, other, other))
        return found


def _here(site: str, a: str, b: str, problem: Problem) -> bool:
    return all(site in problem.vector(x).sites for x in (a, b) if any(v.name == x for v in problem.vectors))


def _labels(cell: Cell) -> str:
    if cell.value is not None:
        return "signs" if cell.value in (sp.S.One, -sp.S.One) else "real"
    if cell.of is None:
        return "random"
    labels = cell.channel.labels()
    if labels == SIGNS:
        return "signs"
    if isinstance(labels, DiscreteLabels):
        return "other"
    return "real" if isinstance(labels, RealLabels) else "other"
