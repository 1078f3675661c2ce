"""Four signs as code: the mean of their product, which is no elementary function, and angles where two of four fields are zero.

Let field p be mixed with independent noise, so that its covariances are t times their own.  Along t the mean grows from zero, and by
Plackett's identity at a rate of three angles (Plackett 1954, Biometrika 41, 351; Schlaefli 1858 for the volume of a simplex).  With p the
field that the others leave the largest part s of its variance, sin(phi) = t sqrt(1 - s) takes the nearest branch point away; those that are
left lie further than sqrt(s) behind the end of the path.  Panels that halve twice towards the end see nothing sharper than themselves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np
from llvmlite import ir

from numerics.flow.elementary import Elementary, splat

POINTS, WIDTH = 16, 8
_NAME = "four_signs"
_SHRINK, _SHORTEST = 0.25, 1e-13
_ROUNDING = 1e-14  # of what cancels in a determinant: below it s is taken to be zero
_ONE = 4e-15  # fields with 1 - r^2 below this are one: rounding parts what integration keeps equal, and three such make no triangle
_LARGEST = 0.75  # of s, so that 1 - s keeps its digits
_DOUBLE = ir.DoubleType()
_VECTOR = ir.VectorType(_DOUBLE, WIDTH)
_PAIRS = tuple(combinations(range(4), 2))
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(POINTS)
_NODES, _WEIGHTS = (1 + _NODES) / 2, _WEIGHTS / 2


def _c(value: float) -> ir.Constant:
    return ir.Constant(_DOUBLE, value)


def four_signs(module: ir.Module) -> ir.Function:
    """A function of c12, c13, c14, c23, c24, c34, v1, v2, v3, v4 (covariances, variances) and the place of seven results.

    These are E sign(x1) sign(x2) sign(x3) sign(x4), and for each pair in the order of covariances the arcsine of the correlation that the
    other two fields have where the pair is zero.  All are good to 1e-13, or to what a rounding of the arguments changes, at most 1e-7.
    Fields may be equal or opposite: of three that are one the first is taken to be the smallest by a hair, the last the largest.
    """
    if _NAME in module.globals:
        return module.globals[_NAME]
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [*[_DOUBLE] * 10, _DOUBLE.as_pointer()]), _NAME)
    function.linkage = "internal"
    function.attributes.add("noinline")
    start, fewer, general, loop, after = (function.append_basic_block() for _ in range(5))
    gram = _Gram(Elementary(module), ir.IRBuilder(start), function.args[:10])
    builder, out = gram.builder, function.args[10]
    gram.complete()
    for number, angle in enumerate(gram.angles()):
        builder.store(angle, builder.gep(out, [ir.Constant(ir.IntType(64), number + 1)], inbounds=True))
    bound, value = gram.bound()
    builder.cbranch(bound, fewer, general)
    builder = ir.IRBuilder(fewer)
    builder.store(value, out)
    builder.ret_void()
    gram.builder = ir.IRBuilder(general)
    path = _Path(gram)
    gram.builder.branch(loop)
    builder = ir.IRBuilder(after)
    builder.store(path.integrate(general, loop, builder), out)
    builder.ret_void()
    return function


class _Gram:
    """Minors of the covariances, each from the pivot that leaves the least to cancel."""

    def __init__(self, elementary: Elementary, builder: ir.IRBuilder, given: Sequence[ir.Value]) -> None:
        self.elementary, self.builder = elementary, builder
        self.c = {frozenset(pair): given[number] for number, pair in enumerate(_PAIRS)}
        self.v = given[6:]
        self.two = {pair: self._minor(*(self.v[i] for i in pair), c, c) for pair, c in self.c.items()}

    def _minor(self, *entries: ir.Value) -> ir.Value:
        return self.elementary.minor(self.builder, *entries)

    def bound(self) -> tuple[ir.Value, ir.Value]:
        """Whether two fields are one up to a factor, or one is zero; the mean, if so."""
        builder, zero = self.builder, _c(0.0)
        found, side, rest, size = ir.Constant(ir.IntType(1), 0), zero, zero, zero
        for pair in self.two:
            k, l = sorted(set(range(4)) - pair)
            same = self._same(pair)
            found = builder.or_(found, same)
            side = builder.select(same, self.elementary.call(builder, "llvm.copysign.f64", _c(2 / math.pi), self.c[pair]), side)
            rest = builder.select(same, self.c[frozenset((k, l))], rest)
            size = builder.select(same, builder.fmul(self.v[k], self.v[l]), size)
        for v in self.v:
            none = builder.fcmp_unordered("<=", v, zero)
            found, side = builder.or_(found, none), builder.select(none, zero, side)
        angle = self.elementary.angle(builder, self.elementary.correlation(builder, rest, size))
        return found, builder.fmul(side, angle)

    def angles(self) -> list[ir.Value]:
        """For each pair the arcsine of the correlation of the other two, where the pair is zero."""
        builder, zero, lanes = self.builder, _c(0.0), [ir.Constant(ir.IntType(32), lane) for lane in range(WIDTH)]
        last = builder.select(builder.fcmp_ordered(">", self.four, zero), self.four, zero)
        above, below = splat(_VECTOR, 0.0), splat(_VECTOR, 0.0)
        for lane, pair in zip(lanes, self.two, strict=False):
            above = builder.insert_element(above, self.across[pair], lane)
            below = builder.insert_element(below, builder.fmul(self.two[pair], last), lane)
        turned = self.elementary.turn(builder, above, self.elementary.root(builder, below, inverse=False))
        found = []
        for lane, pair in zip(lanes, self.two, strict=False):
            k, l = sorted(set(range(4)) - pair)
            value, rest = builder.extract_element(turned, lane), frozenset((k, l))
            right = self.elementary.call(builder, "llvm.copysign.f64", _c(math.pi / 2), self.c[rest])
            for i in pair:  # three that are one: where the middle one is zero the others differ in sign
                tied = builder.and_(self._same(rest), builder.and_(self._same(frozenset((i, k))), self._same(frozenset((i, l)))))
                value = builder.select(tied, builder.fneg(right) if k < i < l else right, value)
            found.append(value)
        return found

    def _same(self, pair: frozenset[int]) -> ir.Value:
        i, j = pair
        return self.builder.fcmp_unordered("<=", self.two[pair], self.builder.fmul(_c(_ONE), self.builder.fmul(self.v[i], self.v[j])))

    def least(self, candidates: Sequence[tuple[ir.Value, Sequence[ir.Value]]]) -> tuple[ir.Value, Sequence[ir.Value]]:
        """The candidate with the smallest key."""
        key, values = candidates[0]
        for other, others in candidates[1:]:
            smaller = self.builder.fcmp_ordered("<", other, key)
            key = self.builder.select(smaller, other, key)
            values = [self.builder.select(smaller, new, old) for new, old in zip(others, values, strict=True)]
        return key, values

    def size(self, one: ir.Value, other: ir.Value) -> ir.Value:
        return self.elementary.call(self.builder, "llvm.fabs.f64", self.builder.fmul(one, other))

    def complete(self) -> None:
        """Minors of order two off the diagonal, three and four: off[i, {j, k}], three[i] without i, across[{i, j}], four.

        `doubt` is what rounding may have added to the last.
        """
        builder, c, v, two = self.builder, self.c, self.v, self.two
        inverse = [builder.fdiv(_c(1.0), x) for x in v]
        self.off, self.three, self.across = {}, {}, {}
        for i in range(4):
            for j, k in combinations(sorted(set(range(4)) - {i}), 2):
                self.off[i, frozenset((j, k))] = self._minor(v[i], c[frozenset((j, k))], c[frozenset((i, j))], c[frozenset((i, k))])
        leads = {}
        for left in range(4):
            candidates = []
            for i in set(range(4)) - {left}:
                j, k = sorted(set(range(4)) - {left, i})
                one, other, cross = two[frozenset((i, j))], two[frozenset((i, k))], self.off[i, frozenset((j, k))]
                value = builder.fmul(self._minor(one, other, cross, cross), inverse[i])
                candidates.append((builder.fmul(builder.fmul(one, other), inverse[i]), [value]))
            leads[left], (self.three[left],) = self.least(candidates)
        for pair in two:
            k, l = sorted(set(range(4)) - pair)
            candidates = []
            for i in pair:
                (j,) = pair - {i}
                entries = two[pair], *(self.off[i, frozenset(places)] for places in ((k, l), (j, k), (j, l)))
                key = builder.fmul(builder.fadd(self.size(*entries[:2]), self.size(*entries[2:])), inverse[i])
                candidates.append((key, [builder.fmul(self._minor(*entries), inverse[i])]))
            self.across[pair] = self.least(candidates)[1][0]
        candidates = []
        for pair, cross in self.across.items():
            k, l = sorted(set(range(4)) - pair)
            over, one, other = builder.fdiv(_c(1.0), two[pair]), self.three[k], self.three[l]
            lost = builder.fadd(builder.fmul(one, leads[l]), builder.fmul(other, leads[k]))
            value = builder.fmul(self._minor(one, other, cross, cross), over)
            candidates.append((builder.fmul(builder.fmul(one, other), over), [value, builder.fmul(lost, over)]))
        self.four, lead = self.least(candidates)[1]
        self.doubt = builder.fmul(_c(_ROUNDING), lead)


class _Path:
    """The integral along t: z = 1 - t^2 and t^2 weigh what is there at the start and at the end."""

    def __init__(self, gram: _Gram) -> None:
        self.gram, builder = gram, gram.builder
        candidates = []
        for p in range(4):
            key = builder.fmul(gram.v[p], gram.three[p])
            candidates.append((key, [value for j in sorted(set(range(4)) - {p}) for value in self._branch(p, j)]))
        first, found = gram.least(candidates)
        self.branches = [found[place : place + 5] for place in (0, 5, 10)]
        zero = _c(0.0)
        last = builder.select(builder.fcmp_ordered(">", gram.four, zero), gram.four, zero)
        self.ends = first, last
        sure = builder.fdiv(builder.fsub(last, gram.doubt), first)
        low = builder.select(builder.fcmp_ordered(">", sure, zero), sure, zero)  # so is what a vanishing determinant leaves
        self.s = builder.select(builder.fcmp_ordered("<", low, _c(_LARGEST)), low, _c(_LARGEST))
        self.root = gram.elementary.root(builder, self.s, inverse=False)
        self.part = builder.fsub(_c(1.0), self.s)
        self.scale = gram.elementary.root(builder, self.part, inverse=True)
        self.end = builder.fdiv(builder.fmul(self.part, self.scale), builder.fadd(_c(1.0), self.root))

    def _branch(self, p: int, j: int) -> list[ir.Value]:
        """Covariance, the minor of p and j at the start and the end, and that of rows p, j, k and columns p, j, l."""
        gram, builder, pair = self.gram, self.gram.builder, frozenset((p, j))
        rest = frozenset(range(4)) - pair
        start = builder.fmul(gram.v[p], gram.v[j]), builder.fmul(gram.v[p], gram.off[j, rest])
        return [gram.c[pair], start[0], gram.two[pair], start[1], gram.across[pair]]

    def integrate(self, before: ir.Block, loop: ir.Block, after: ir.IRBuilder) -> ir.Value:
        """Panel by panel towards the end, in w = tan(phi/2), measured from there; the value stands in the block after the loop."""
        entry = ir.IRBuilder(before)
        entry.position_before(before.terminator)
        wide = {name: _spread(entry, getattr(self, name)) for name in ("root", "end", "scale", "part")}
        ends = [_spread(entry, value) for value in self.ends]
        branches = [[_spread(entry, value) for value in branch] for branch in self.branches]
        both = entry.fmul(wide["part"], entry.fadd(splat(_VECTOR, 1.0), entry.fmul(wide["end"], wide["end"])))
        wide["remains"] = entry.fdiv(splat(_VECTOR, 2.0), both)
        builder = ir.IRBuilder(loop)
        far, total = builder.phi(_DOUBLE), builder.phi(_VECTOR)
        enough = builder.fcmp_ordered(">", far, builder.fadd(self.root, self.root))
        more = builder.and_(enough, builder.fcmp_ordered(">", far, _c(_SHORTEST)))
        near = builder.select(more, builder.fmul(_c(_SHRINK), far), _c(0.0))
        low, width = _spread(builder, near), _spread(builder, builder.fsub(far, near))
        found: ir.Value = splat(_VECTOR, 0.0)
        for first in range(0, POINTS, WIDTH):
            nodes, weights = (ir.Constant(_VECTOR, [_c(float(x)) for x in row[first : first + WIDTH]]) for row in (_NODES, _WEIGHTS))
            y = builder.fadd(low, builder.fmul(width, nodes))
            found = builder.fadd(found, builder.fmul(weights, self._rate(builder, y, wide, ends, branches)))
        following = builder.fadd(total, builder.fmul(width, found))
        builder.cbranch(more, loop, after.block)
        for phi, initial, value in ((far, self.end, near), (total, splat(_VECTOR, 0.0), following)):
            phi.add_incoming(initial, before)
            phi.add_incoming(value, loop)
        builder = after
        parts = [builder.extract_element(following, ir.Constant(ir.IntType(32), lane)) for lane in range(WIDTH)]
        while len(parts) > 1:
            parts = [builder.fadd(one, other) for one, other in zip(parts[::2], parts[1::2], strict=True)]
        return builder.fmul(_c(4 / math.pi**2), parts[0])

    def _rate(self, builder: ir.IRBuilder, y: ir.Value, wide: dict[str, ir.Value], ends: list[ir.Value], branches: list) -> ir.Value:
        """What a step in w adds, at distance y from the end."""
        e, one, two = self.gram.elementary, splat(_VECTOR, 1.0), splat(_VECTOR, 2.0)
        w = builder.fsub(wide["end"], y)
        square = builder.fmul(w, w)
        over = builder.fdiv(one, builder.fadd(one, square))
        cosine = builder.fmul(builder.fsub(one, square), over)
        t = builder.fmul(builder.fmul(two, builder.fmul(w, over)), wide["scale"])
        t = builder.fmul(t, t)
        z = builder.fmul(builder.fmul(y, builder.fadd(wide["end"], w)), builder.fmul(wide["remains"], over))
        z = builder.fmul(z, builder.fadd(cosine, wide["root"]))

        def between(start: ir.Value, last: ir.Value) -> ir.Value:
            return builder.fadd(builder.fmul(z, start), builder.fmul(t, last), flags=("contract",))

        whole, found = e.root(builder, between(*ends), inverse=False), splat(_VECTOR, 0.0)
        for covariance, size, two_by_two, start, last in branches:
            root = e.root(builder, between(size, two_by_two), inverse=False)
            angle = e.turn(builder, between(start, last), builder.fmul(root, whole))
            found = builder.fadd(found, builder.fmul(builder.fdiv(covariance, root), angle))
        return builder.fmul(builder.fmul(found, builder.fmul(cosine, wide["scale"])), builder.fmul(two, over))


def _spread(builder: ir.IRBuilder, value: ir.Value) -> ir.Value:
    """The same in all lanes."""
    one = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(one, ir.Constant(_VECTOR, ir.Undefined), ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH))
