"""A static problem of minimizers on structured data: coordinates, cells of samples, and weight vectors in the order of their training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import sympy as sp

from replica.nodes import Measure, Tilted
from replica.symbols import Control
from replica.theory import Assumption

Pair = tuple[str, str]
FIELD = "field"  # a base profile: a coordinate counts with the variance of its input


@dataclass(frozen=True)
class Site:
    """Coordinates of one law.

    Args:
        name: of the block, empty where there is one.
        fraction: its coordinates per d.
        profile: base profile -> its value here; inputs of a cell have variance sum_k cell.variance[k] profile[k].
        gram: second moments of the latents per coordinate.
        gaussian: whether the latents that do not vanish here are jointly normal.
        measures, density: of a spectral law, over which the coordinates are averaged.
        reads: of features, the site whose coordinates they mix at random; a vector that lives here has weights there, too.
        gain: square of the linear part of the features.
    """

    name: str
    fraction: sp.Expr
    profile: Mapping[str, sp.Expr]
    gram: Mapping[Pair, sp.Expr]
    gaussian: bool = True
    measures: tuple[Measure, ...] = ()
    density: sp.Expr = sp.S.One
    reads: str = ""
    gain: sp.Expr = sp.S.One

    def moment(self, s: str, t: str) -> sp.Expr:
        return self.gram.get((s, t), self.gram.get((t, s), sp.S.Zero))

    def total(self, value: sp.Expr) -> sp.Expr:
        """A quantity per coordinate of this site as its part of the whole, averaged over a spectral law."""
        if self.measures and value != 0:
            value = Tilted(value * self.density, sp.S.Zero, self.measures, normalised=True)
        return self.fraction * value


@dataclass(frozen=True)
class Cell:
    """One group of one slice: x = sum_t mean_t u^t/sqrt(d) + noise, with a label.

    Args:
        alpha: samples per d.
        share: its part of its slice.
        variance, level: base profile -> its coefficient in the variance of the inputs, and in what is one on every coordinate.
        mean: latent -> coefficient.
        of, channel, bias: the label's latent, its law given the field, what is added to the field.
        value: the label itself; None where a channel or chance gives it.
        total: variance of the label's field where not all of it is linear in the inputs.
    """

    slice: str
    group: str
    alpha: sp.Expr
    share: sp.Expr
    variance: Mapping[str, sp.Expr]
    level: Mapping[str, sp.Expr]
    mean: Mapping[str, sp.Expr]
    of: str | None = None
    channel: Any = None
    bias: sp.Expr = sp.S.Zero
    value: sp.Expr | None = None
    total: sp.Expr | None = None

    @property
    def key(self) -> Pair:
        return self.slice, self.group


@dataclass(frozen=True)
class Vector:
    """The weights of a learner as one stage leaves them.

    Args:
        name: of the learner, or of the stage where the learner is trained further later.
        stage: its number; a vector reads those of earlier stages.
        sites: where it does not vanish; features before what they read.
        bias: whether a bias is trained.
        losses: cell -> loss(y, z), with the fields of earlier vectors as `output(name)`.
        penalty: of one weight.
        springs: other vector -> g of g/2 (w - w_other)^2; of one stage, in one of the two only.
        convex: whether its losses are, at the default controls.
    """

    name: str
    learner: str
    stage: int
    sites: tuple[str, ...]
    bias: bool
    losses: Mapping[Pair, Callable[[sp.Expr, sp.Expr], sp.Expr]]
    penalty: Callable[[sp.Expr], sp.Expr]
    springs: Mapping[str, sp.Expr]
    convex: bool = True

    def reads(self, cell: Pair) -> set[str]:
        """The vectors whose outputs its loss mentions in a cell."""
        y, z = sp.Dummy("y", real=True), sp.Dummy("z", real=True)
        symbols = self.losses[cell](y, z).free_symbols if cell in self.losses else set()
        return {s.name.removeprefix(_OUTPUT) for s in symbols if s.name.startswith(_OUTPUT)}


_OUTPUT = "output of "


def output(name: str) -> sp.Symbol:
    """What stands in a loss for the field of another vector on the same sample."""
    return sp.Symbol(_OUTPUT + name, real=True)


@dataclass(frozen=True)
class Problem:
    """All of it, and who responds to whom.

    Args:
        bases: profiles of coordinates whose overlaps are order parameters: means over the coordinates of a block or of features, or sums
            weighted with the variances of the inputs.
        sizes: base -> coordinates per d that its mean runs over.
        degrees: learner on features of plain inputs -> what an activation's higher degrees add to the slope of a feature, squared.
        numbers: what the symbols of Gaussian moments stand for.
        counts: learner -> its weights per d, one where absent.
        measured: controls besides those of the spec, which a measurement supplies.
        remarks: on what was simplified on the way here.
    """

    sites: tuple[Site, ...]
    bases: tuple[str, ...]
    sizes: Mapping[str, sp.Expr]
    cells: tuple[Cell, ...]
    latents: tuple[str, ...]
    vectors: tuple[Vector, ...]
    degrees: Mapping[str, sp.Expr] = field(default_factory=dict)
    numbers: Mapping[sp.Basic, sp.Basic] = field(default_factory=dict)
    counts: Mapping[str, sp.Expr] = field(default_factory=dict)
    measured: tuple[Control, ...] = ()
    remarks: tuple[Assumption, ...] = ()

    def vector(self, name: str) -> Vector:
        return next(v for v in self.vectors if v.name == name)

    def site(self, name: str) -> Site:
        return next(s for s in self.sites if s.name == name)

    def cell(self, key: Pair) -> Cell:
        return next(c for c in self.cells if c.key == key)

    def above(self, name: str, site: Site) -> Site | None:
        """The features through which a vector acts on a site; None where it acts there itself."""
        return next((s for s in self.sites if s.reads and s.reads == site.name and s.name in self.vector(name).sites), None)

    def own(self, name: str) -> tuple[Site, ...]:
        """Where a vector has the weights that are trained."""
        return tuple(s for s in self.sites if s.name in self.vector(name).sites and self.above(name, s) is None)

    def mixed(self, base: str) -> Site | None:
        """The features of which this is the base."""
        return next((s for s in self.sites if s.reads and s.name == base), None)

    def shown(self, latent: str, base: str, to: Vector | None = None) -> bool:
        """Whether the mean or the label of some cell, of those that a vector is trained on, carries an overlap with a latent."""
        cells = [c for c in self.cells if to is None or c.key in to.losses]
        if any(c.of == latent and c.variance[base] != 0 for c in cells):
            return True
        shifts = {c.mean.get(latent, sp.S.Zero) * c.level[base] for c in cells}
        if to is not None and to.bias and len(shifts) == 1:
            return False  # the bias takes up what is the same for all its samples: the mean score vanishes, and the conjugate with it
        return shifts != {sp.S.Zero}

    def meet(self, a: Vector, b: Vector) -> bool:
        """Whether both are alive on some coordinates."""
        return bool(set(a.sites) & set(b.sites))

    def sprung(self, a: Vector, b: Vector) -> sp.Expr:
        """Strength of the spring between two vectors, in whichever of them it is written."""
        return a.springs.get(b.name, sp.S.Zero) + (b.springs.get(a.name, sp.S.Zero) if b.name != a.name else sp.S.Zero)

    @cached_property
    def responses(self) -> frozenset[Pair]:
        """(a, b): the weights of a respond to a field on b, through springs and through data that both see."""
        return self._linked[0]

    @cached_property
    def curvatures(self) -> frozenset[Pair]:
        """(a, b): the scores of a respond to the field of b on samples."""
        return self._linked[1]

    @cached_property
    def _linked(self) -> tuple[frozenset[Pair], frozenset[Pair]]:
        weights: set[Pair] = {(v.name, v.name) for v in self.vectors}
        for a in self.vectors:
            for b in self.vectors:
                if self.sprung(a, b) != 0 and b.stage <= a.stage and self.meet(a, b):
                    weights.add((a.name, b.name))
        data: set[Pair] = {(v.name, v.name) for v in self.vectors}
        while True:
            before = len(weights) + len(data)
            for a in self.vectors:
                for b in self.vectors:
                    if a is not b and b.stage <= a.stage and self._felt(a, b, weights):
                        data.add((a.name, b.name))
                        if self.meet(a, b):
                            weights.add((a.name, b.name))
            weights |= {(a, c) for a, b in weights for b2, c in weights if b == b2}
            if len(weights) + len(data) == before:
                return frozenset(weights), frozenset(data)

    def _felt(self, a: Vector, b: Vector, weights: set[Pair]) -> bool:
        """Whether some sample carries b's field into a's score."""
        shared = [cell for cell in a.losses if cell in b.losses]
        return any(b.name in a.reads(cell) for cell in a.losses) or ((a.name, b.name) in weights and bool(shared))

    def fields(self, cell: Pair, name: str) -> tuple[str, ...]:
        """The vectors whose fields the score of one vector depends on in a cell, itself last."""
        needed: dict[str, None] = {}
        together = self.together(cell, name)
        for own in map(self.vector, together):
            for other in self.vectors:
                if other.stage >= own.stage:
                    continue
                reacts = (own.name, other.name) in self.responses and cell in other.losses and cell in own.losses
                if other.name in own.reads(cell) or reacts:
                    needed |= dict.fromkeys(self.fields(cell, other.name))
        return (*needed, *(other for other in together if other != name), name)

    def together(self, cell: Pair, name: str) -> tuple[str, ...]:
        """The vectors of one stage that answer the samples of a cell with this one, in the order of training."""
        own = self.vector(name)
        return tuple(
            v.name
            for v in self.vectors
            if v is own or (v.stage == own.stage and (name, v.name) in self.responses and cell in v.losses and cell in own.losses)
        )
