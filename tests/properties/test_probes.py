"""Trees of a probe around a reference that learns from a teacher, with RSB levels: against sums over configurations, and slopes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import sympy as sp
from scipy.special import expit

from replica.families.composition import compose
from replica.families.model import TEACHER
from replica.families.sheet import sheet
from replica.families.structure import Level, Member, Structure, replicated, s
from replica.spec import Spec
from replica.tree import Functional, Node, Overlap, ReplicaTree, Side
from tests.properties.grids import Grid

STEPS, TOGETHER = sp.symbols("x1 x2", positive=True), sp.Symbol("y", positive=True)
ATOMS = {TEACHER: ((-1.0, 0.3), (0.5, 0.7)), "reference": ((-1.0, 0.4), (1.5, 0.6)), "probe": ((-1.0, 0.5), (1.0, 0.5))}
LOSSES = {
    TEACHER: lambda y, z: expit(2 * y * z), "reference": lambda y, z: expit(y * z) ** 0.7 * np.exp(-0.05 * z**2),
    "probe": lambda y, z: expit(1.5 * y * z),
}
X, W = np.polynomial.hermite_e.hermegauss(40)
W = W / W.sum()


def weight(species, k, h, A):
    return sum(p * w**k * np.exp(A * w**2 / 2 + h * w) for w, p in ATOMS[species])


def output(species, k, h, A, y):
    polynomial = np.polynomial.hermite_e.hermeval(X, [0] * k + [1])
    h, A, y = (np.asarray(one)[..., None] for one in (h, A, y))
    return (LOSSES[species](y, h + np.sqrt(A) * X) * polynomial) @ W / A[..., 0] ** (k / 2)


LAWS = {Side.ENTROPIC: weight, Side.ENERGETIC: output}
NODES = {Side.ENTROPIC: 16, Side.ENERGETIC: 12}


SPEC = """
format = 1
name = "probe"
[teacher]
prior = "{prior}"
channel = "sign"
[student]
protocol = {{ kind = "gibbs", beta = inf }}
prior = "{prior}"
loss = "theta"
ensemble = {{ kind = "franz_parisi", overlap = 0.6 }}
[ansatz]
kind = "rsb"
k = {steps}
x = 0.5
[controls]
alpha = {{ value = 0.5, domain = "(0, inf)" }}
"""


def planted(steps: int, together: sp.Expr = sp.S.One) -> Structure:
    return replicated(True, (Member("reference", together),), STEPS[:steps], (Member("probe"),))


def drawn(level: Level, rng: np.random.Generator, spare: int = 0) -> dict[str, np.ndarray]:
    """Roots of increments of overlaps, from the root to the copy that the probe stands on, and variances inside, last.

    Args:
        spare: fields of a node beyond those without which there are no such overlaps: the gauges are not the least.
    """
    found = {}
    for node, _, _ in level.tree.nodes():
        if node.name in ("root", "host") or node.name.endswith("_host"):
            shape = len(node.species()), len(node.species()) - 1 + spare
            found[node.name] = rng.uniform(0.15, 0.3, shape) * rng.choice([-1, 1], shape)
    return found | {"": rng.uniform(0.4, 0.7, (len(level.tree.root.species()), 1))}


def numbers_of(level: Level, roots: dict[str, np.ndarray], hat: bool) -> dict[sp.Symbol, float]:
    """Every overlap, gauges too."""
    tree, found = level.tree, {}
    total: dict[tuple[str, str], float] = {}
    for node, _, _ in tree.nodes():
        if node.name in roots:
            pairs = itertools.combinations_with_replacement(zip(node.species(), roots[node.name], strict=True), 2)
            for (a, one), (b, other) in pairs:
                total[a, b] = total.get((a, b), 0.0) + one @ other
                found[tree.symbol(Overlap(node.name, a, b), hat)] = total[a, b]
    inside = zip(tree.root.species(), roots[""], strict=True)
    return found | {tree.symbol(Overlap(None, a, a), hat): total[a, a] + one @ one for a, one in inside}


def counted(root: Node, steps: dict[sp.Symbol, int], groups: int, probes: int) -> Node:
    """The tree with integers for all multiplicities: so many outermost groups, and probes of one of the references."""
    plain, host = root.children

    def numbers(node: Node) -> Node:
        return replace(node, multiplicity=node.multiplicity.subs({**steps, s: probes}), children=tuple(map(numbers, node.children)))

    return replace(numbers(root), children=(replace(numbers(plain), multiplicity=sp.Integer(groups) - 1), numbers(host)))


def leaves(node: Node, path: tuple = ()) -> Iterator[tuple[str, tuple]]:
    """All leaves, each with the copies of nodes from the root down to it."""
    yield from ((species, (*path, node)) for species in node.leaves)
    for child in node.children:
        for copy in range(int(child.multiplicity)):
            yield from leaves(child, (*path, node, copy))


def overlaps(tree: ReplicaTree, hat: bool, numbers: dict) -> tuple[list[str], np.ndarray]:
    """Species of all leaves, and their overlaps two by two."""
    found = list(leaves(tree.root))
    order = tree.root.species()
    Q = np.empty((len(found), len(found)))
    for (i, (a, one)), (j, (b, other)) in itertools.product(enumerate(found), repeat=2):
        shared = [p for p, q in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))]
        common = next(p for p in reversed(shared) if isinstance(p, Node))
        pair = sorted((a, b), key=order.index)
        Q[i, j] = numbers[tree.symbol(Overlap(None if i == j else common.name, *pair), hat)]
    return [a for a, _ in found], Q


def at_integers(level: Level, side: Side, root: Node) -> Functional:
    tree = ReplicaTree(root, None, level.tree.name)
    return replace(level.functional(side), tree=tree, normalised=False, _fields={}, _cache={})


@pytest.mark.parametrize(
    ("steps", "copies", "together", "probes", "spare"),
    [
        ((), 3, 1, 2, 1), ((), 2, 1, 2, 0), ((2,), 4, 1, 2, 0), ((1,), 3, 1, 1, 0), ((2, 1), 4, 1, 1, 0),
        ((), 2, 2, 2, 0), ((), 1, 3, 1, 0), ((2,), 2, 2, 1, 0),
    ],
)
def test_weights_of_a_probe_are_a_sum_over_configurations(steps, copies, together, probes, spare):
    """One of the references, which are `together` real replicas in each of so many `copies`, has probes."""
    level = planted(len(steps), sp.S.One if together == 1 else TOGETHER).levels[1]
    numbers = numbers_of(level, drawn(level, np.random.default_rng(copies), spare), True)
    counts = dict(zip(STEPS, steps, strict=False)) | {TOGETHER: together}
    terms = at_integers(level, Side.ENTROPIC, counted(level.tree.root, counts, copies // (steps or (1,))[0], probes))
    species, Q = overlaps(terms.tree, True, numbers)
    assert species.count("reference") == copies * together and species.count("probe") == probes
    values = np.array(list(itertools.product(*([w for w, _ in ATOMS[a]] for a in species))))
    odds = np.array(list(itertools.product(*([p for _, p in ATOMS[a]] for a in species)))).prod(axis=1)
    direct = np.log(odds @ np.exp(((values @ Q) * values).sum(axis=1) / 2))
    assert Grid(numbers, weight)(terms.log_integral()) == pytest.approx(direct, abs=1e-9)


@pytest.mark.parametrize(("steps", "copies", "probes"), [((), 2, 1), ((2,), 2, 1), ((1,), 2, 1)])
def test_samples_of_a_probe_are_a_tensor_integral(steps, copies, probes):
    level = planted(len(steps)).levels[1]
    numbers = numbers_of(level, drawn(level, np.random.default_rng(copies)), False)
    groups = copies // (steps or (1,))[0]
    terms = at_integers(level, Side.ENERGETIC, counted(level.tree.root, dict(zip(STEPS, steps, strict=False)), groups, probes))
    species, Q = overlaps(terms.tree, False, numbers)
    x, w = np.polynomial.hermite_e.hermegauss(24)
    points = np.stack([m.reshape(-1) for m in np.meshgrid(*[x] * len(Q))]).T @ np.linalg.cholesky(Q).T
    odds = np.stack([m.reshape(-1) for m in np.meshgrid(*[w / w.sum()] * len(Q))]).prod(axis=0)
    direct = sum(odds @ np.prod([LOSSES[a](y, points[:, k]) for k, a in enumerate(species)], axis=0) for y in (1.0, -1.0))
    assert Grid(numbers, output)(terms.log_integral()) == pytest.approx(np.log(direct), abs=1e-8)


@pytest.mark.parametrize(
    ("side", "steps"),
    [
        *((side, 0) for side in Side), (Side.ENTROPIC, 1),
        *(pytest.param(*way, marks=pytest.mark.slow) for way in ((Side.ENTROPIC, 2), (Side.ENERGETIC, 1))),
    ],
)
def test_equations_of_a_probe_are_slopes(side, steps):
    """The pair sums of scores, beside differences of the log integral, as n -> 0 and s -> 0."""
    level = planted(steps).levels[1]
    hat = side is Side.ENTROPIC
    terms = level.functional(side)
    roots, value = drawn(level, np.random.default_rng(steps)), terms.log_integral()
    length = level.tree.symbol(Overlap(None, "reference", "reference"), hat)
    numbers = numbers_of(level, roots, hat) | dict(zip(STEPS, (0.3, 0.7), strict=True))

    def grid(name: str, row: int, column: int, move: float) -> Grid:
        """With one entry of a root moved by which overlaps of the reference stay as they are."""
        moved = roots[name].copy()
        moved[row, column] += move
        return Grid(numbers | numbers_of(level, roots | {name: moved}, hat) | {length: numbers[length]}, LAWS[side], nodes=NODES[side])

    here = Grid(numbers, LAWS[side], nodes=NODES[side])
    gradient = {level.tree.symbol(overlap, hat): here(terms.gradient(overlap)) for overlap in level.own}
    ways = [("host", 0, 0), *((name, -1, column) for name, root in roots.items() for column in range(root.shape[1]))]
    assert len(ways) == len(gradient)
    for way in ways:
        slopes = {}
        for h in (0.002, 0.004):
            up, down = grid(*way, h), grid(*way, -h)
            moved = sum(g * (up.known[symbol] - down.known[symbol]) for symbol, g in gradient.items())
            slopes[h] = (up(value) - down(value) - moved) / (2 * h)
        assert abs(4 * slopes[0.002] - slopes[0.004]) / 3 < 1e-9, way


def normal(species, k, h, A):
    width = 1 / (1 - A)
    return np.sqrt(width) * np.exp(width * h**2 / 2) * (1, width * h, width + (width * h) ** 2)[k]


def signs(species, k, h, A):
    return np.exp(A / 2) * (np.sinh(h) if k % 2 else np.cosh(h))


@pytest.mark.slow
@pytest.mark.parametrize(("prior", "side"), [("binary", Side.ENTROPIC), ("spherical", Side.ENTROPIC), ("spherical", Side.ENERGETIC)])
def test_fields_that_are_left_out_are_a_gauge(prior, side):
    """Averages with the fewest fields, or over weights themselves, are those with every field, at gauges of their own."""
    composition = compose(Spec.from_toml(SPEC.format(prior=prior, steps=1)).expand())
    level, hat = composition.structure.levels[1], side is Side.ENTROPIC
    lowered = sheet(composition.structure, level, composition.laws, {})
    names = {composition.steps[0]: 0.4}
    law = output if not hat else signs if prior == "binary" else normal
    numbers = numbers_of(level, drawn(level, np.random.default_rng(3)), hat)
    grid = Grid(names | numbers, law, nodes=14)
    gauges = {level.tree.symbol(Overlap(node.name, species, species), hat) for node, species in composition.structure.gauges(level)}
    bare = Grid(names | {symbol: value for symbol, value in numbers.items() if symbol not in gauges}, law, nodes=14)
    assert gauges and not gauges & lowered.entropic.free_symbols
    assert bare(lowered.entropic if hat else lowered.energetic) == pytest.approx(grid(level.functional(side).log_integral()), abs=1e-8)
    for overlap, found in (lowered.inputs if hat else lowered.outputs).items():
        count = level.tree.coefficient(level.tree.overlaps()[overlap])
        assert bare(found) == pytest.approx(grid(level.functional(side).gradient(overlap) / count), abs=1e-7), level.tree.name(overlap)
