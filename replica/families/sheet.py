"""One side by side list of a structure's order parameters: raw equations, gauges fixed, still in leaves."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import sympy as sp

from replica.families.model import TEACHER, SharedLaws
from replica.families.structure import Level, Structure
from replica.law import Atom, Quadratic
from replica.nodes import Discrete, Gauss, Measure, Tilted
from replica.passes.gauge import minimal, sourced
from replica.passes.merge import centered, merged, normal
from replica.passes.still import without_still_fields
from replica.tree import Functional, Leaf, Overlap, Side


@dataclass(frozen=True)
class LevelSheet:
    """Free entropy and gradients of one level.

    Args:
        trace: sum of overlaps times conjugates; enters with a minus.
        energetic, entropic: log integrals, first order in the level's small parameter.
        outputs, inputs: overlap -> d energetic / d overlap and d entropic / d conjugate over its count.
        slopes: learner -> mean squared slope of its score and of its mean weight, for the replicon.
        between: the same of whole nodes that samples switch on or off, per learner on them.
        positive: variances of fields and leaves, which are positive where the overlaps are possible.
    """

    level: Level
    trace: sp.Expr
    energetic: sp.Expr
    entropic: sp.Expr
    outputs: dict[Overlap, sp.Expr] = field(default_factory=dict)
    inputs: dict[Overlap, sp.Expr] = field(default_factory=dict)
    slopes: dict[str, tuple[sp.Expr, sp.Expr]] = field(default_factory=dict)
    positive: tuple[sp.Expr, ...] = ()
    between: tuple[tuple[sp.Expr, sp.Expr], ...] = ()


def sheet(structure: Structure, level: Level, laws: SharedLaws, given: dict[sp.Symbol, sp.Expr], normal_weights: bool = True) -> LevelSheet:
    """Equations of one level in the universal form.

    Args:
        given: values of overlaps and conjugates that are known by structure (silent species, couplings).
        normal_weights: whether a normal weight that stands once is a variable, like one of finitely many values: its integrals then hold
            no conjugate in a denominator.
    """
    tree = level.tree
    # one variable per species, so that averages over it meet
    listed = {s: _weights(laws, s, normal_weights) for s in tree.root.species() if s != TEACHER}
    explicit = {s: weights for s, weights in listed.items() if weights is not None}
    at_root = [species for node, species in structure.gauges(level) if node.name == "root"]
    probed = any(node.name == "host" for node, _, _ in tree.nodes())
    crowded = probed and TEACHER in at_root and len(at_root) > 1  # fields all linear in one cannot have three overlaps with each other
    teacher = _weights(laws, TEACHER, False) if crowded else None
    if teacher is not None:
        explicit[TEACHER] = teacher

    def fixed(expression: sp.Expr, side: Side) -> sp.Expr:
        expression = expression.xreplace(given)
        functional = level.functional(side)
        silent = functional.silent
        for node, species in structure.gauges(level):
            if species in silent:
                continue
            gauge = tree.symbol(Overlap(node.name, species, species), hat=side is Side.ENTROPIC)
            own = functional.field(node, species)
            apart = crowded and node.name == "root" and species != TEACHER
            if side is Side.ENTROPIC and species in node.leaves and species in explicit:
                expression = sourced(expression, own, gauge, species, explicit[species])
            elif apart and not (side is Side.ENTROPIC and TEACHER in explicit):
                expression = expression.xreplace({gauge: _between(structure, level, side, species)})
            else:
                expression = minimal(expression, own, gauge)
        return normal(without_still_fields(expression))

    outputs, inputs = {}, {}
    for overlap in level.own:
        count = tree.coefficient(tree.overlaps()[overlap])
        outputs[overlap] = fixed(level.energetic.gradient(overlap) / count, Side.ENERGETIC)
        inputs[overlap] = fixed(level.entropic.gradient(overlap) / count, Side.ENTROPIC)
    energetic = fixed(level.energetic.log_integral(), Side.ENERGETIC)
    entropic = fixed(level.entropic.log_integral(), Side.ENTROPIC)
    slopes = {}
    for overlap in level.own:
        species = overlap.first
        if overlap.node is None and species != TEACHER and species not in level.energetic.silent:
            copies = tree.coefficient(tree.root.copies(species))
            slopes[species] = tuple(fixed(level.functional(side).squared_slope(species) / copies, side) for side in Side)
    between = []
    if isinstance(level.energetic, Functional):
        energy, weights = level.energetic, level.entropic
        for node, _, _ in tree.nodes():
            for species in node.species() if node.name in energy.gates else ():
                outer = fixed(energy.squared_slope_of(node.name, species), Side.ENERGETIC)
                between.append((outer, fixed(weights.squared_slope_of(node.name, species), Side.ENTROPIC)))
    positive = _variances(energetic) | _variances(entropic, leaves=False)
    return LevelSheet(level, tree.trace().xreplace(given), energetic, entropic, outputs, inputs, slopes, tuple(positive), tuple(between))


def _between(structure: Structure, level: Level, side: Side, species: str) -> sp.Expr:
    """A variance of a probe's field at the root that keeps it apart from those of the teacher and of its reference.

    Any value gives the same integral.  This one lies halfway between the least and the largest that leave all covariances of fields
    positive, so that the teacher's leaf and both increments keep a variance of their own.
    """
    tree, hat, reference = level.tree, side is Side.ENTROPIC, structure.members[0].name

    def of(node: str | None, a: str, b: str) -> sp.Expr:
        return tree.symbol(Overlap(node, a, b), hat=hat)

    inside = [node.name for node, _, _ in tree.nodes() if {reference, species} <= set(node.species()) and node.name != "host"]
    q, cross = ([of(node, reference, other) for node in inside] for other in (reference, species))
    least, largest = cross[0] ** 2 / q[0], of("host", species, species)
    largest -= sp.Add(*((p - p_out) ** 2 / (q_in - q_out) for (q_out, q_in), (p_out, p) in zip(pairwise(q), pairwise(cross), strict=True)))
    if hat:
        return (least + largest) / 2
    m, m_probe = of("root", TEACHER, reference), of("root", TEACHER, species)
    least += (m_probe - m * cross[0] / q[0]) ** 2 / (of(None, TEACHER, TEACHER) - m**2 / q[0])
    largest -= (of("host", reference, species) - cross[-1]) ** 2 / (of(None, reference, reference) - q[-1])
    return (least + largest) / 2


def _variances(expression: sp.Expr, leaves: bool = True) -> dict[sp.Expr, None]:
    """Variances of fields, minors of joint ones, and variances of leaves."""
    found: dict[sp.Expr, None] = {}
    for m in sorted(expression.atoms(Gauss), key=str):
        found |= {m.covariance[:k, :k].det(method="berkowitz"): None for k in range(1, len(m.variables) + 1)}
    if leaves:
        found |= {leaf.A: None for leaf in sorted(expression.atoms(Leaf), key=str)}
    return found


def difference(plus: sp.Expr, minus: sp.Expr) -> sp.Expr:
    """plus - minus as one average wherever tilt and measures agree, on every depth; variances as squares of deviations."""
    return _deep(merged(plus - minus))


def _deep(e: sp.Expr) -> sp.Expr:
    """Inside a merged average, inner averages of equal tilt are merged too."""
    if isinstance(e, Tilted):
        return Tilted(_deep(centered(merged(e.body))), e.exponent, e.measures, e.normalised)
    if e.is_Add or e.is_Mul:
        return e.func(*(_deep(a) for a in e.args))
    return e


def _weights(laws: SharedLaws, species: str, spread: bool) -> tuple[sp.Symbol, Measure] | None:
    """The weight itself as a variable of finitely many values, or a normal one; None where it is neither.

    Args:
        spread: whether it may be normal.
    """
    if species != TEACHER and laws.by[species].student_prior is None:  # a minimizer over all weights
        return None
    law, w = laws.entropic(species), sp.Dummy("w", real=True)
    atoms = [p for p in law if isinstance(p, Atom)]
    if len(atoms) == len(law):
        return w, Discrete(w, [p.location for p in atoms], [p.log_weight for p in atoms])
    (p, *others) = law
    if not spread or others or not isinstance(p, Quadratic) or p.tail is not None or (p.lower, p.upper) != (-sp.oo, sp.oo) or p.c2 == 0:
        return None
    return w, Gauss([w], [-p.c1 / p.c2], [[-1 / p.c2]])
