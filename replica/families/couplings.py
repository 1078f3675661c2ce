"""What a theory of coupled weights adds to that of its tree: its story, its starts, and no samples to speak of."""

from __future__ import annotations

import math
from dataclasses import replace

import sympy as sp

from replica.disorder import Disorder
from replica.families.lengths import imposed_norm
from replica.families.model import second_moment
from replica.families.reading import StaticModel
from replica.families.story import GAUSSIAN_FIELDS
from replica.nodes import Tilted
from replica.symbols import OrderParameter
from replica.theory import Assumption, Start, Step, Theory

DENSE = Assumption(
    "dense_couplings", "every weight is coupled to every other one, weakly: only mean and variance of the couplings matter as d grows"
)


def told(theory: Theory, model: StaticModel) -> Theory:
    """A theory derived with couplings, in their words: what is assumed, the steps, where to start."""
    assert model.disorder is not None
    words = {
        "Replicated partition function": _replicated(model.disorder),
        "Overlaps": (
            "averaged over J, the weights enter through their overlaps Q_ab = w_a.w_b/d, each fixed by a conjugate Q_hat_ab",
            None,
        ),
        "Energetic term": ("each pair of copies adds a function of its own overlap", None),
    }

    def step(old: Step) -> Step:
        text, formulas = words.get(old.title, (old.text, None))
        assumption = DENSE if old.assumption is GAUSSIAN_FIELDS else old.assumption
        return replace(old, text=text, formulas=old.formulas if formulas is None else formulas, assumption=assumption)

    system = theory.system
    positive = _positive(theory)
    starts = system.starts if not positive else tuple(_feasible(s, model) for s in system.starts)
    if not model.laws.bayes:
        frozen = _frozen(theory, model)
        starts = frozen if _deep(theory, model) else starts + frozen
    return replace(
        theory,
        system=replace(system, starts=starts, constraints=(*system.constraints, *positive)),
        observables={name: value for name, value in theory.observables.items() if name != "training_loss"},
        assumptions=tuple(DENSE if a is GAUSSIAN_FIELDS else a for a in theory.assumptions),
        trail=tuple(step(s) for s in theory.trail),
    )


def _replicated(law: Disorder) -> tuple[str, tuple[sp.Basic, ...]]:
    moments, patterns = law.moments(sp.Symbol("d", positive=True)), law.patterns()
    named = {"mean J": moments.mean, "variance J": moments.variance, "squares": moments.squares}
    text = f"Z is the average of exp(-beta H) over the prior, -H the sum of J w_1 ... w_{law.order()} over groups of coordinates"
    if patterns is not None:
        named |= {"patterns": patterns.load, "loss": patterns.loss.formula(sp.S.Zero, sp.Symbol("z")) + patterns.length * sp.Symbol("Q")}
        text += ", and the loss of a pattern's field z = w.xi/sqrt(d) and of Q = |w|^2/d added up over patterns"
    formulas = tuple(sp.Eq(sp.Symbol(name), value, evaluate=False) for name, value in named.items() if value != 0)
    return f"{text}; its n-th power is averaged over J", formulas


def _positive(theory: Theory) -> tuple[sp.Expr, ...]:
    """What stands under a logarithm of the energetic term: the precision of a field that the energy of patterns widens."""
    own = {u.symbol for u in theory.system.unknowns}
    energetic = theory.terms["energetic"]
    inside = {
        e.args[0]
        for e in energetic.atoms(sp.log)
        if not e.atoms(Tilted) and e.free_symbols & own and e.free_symbols <= energetic.free_symbols
    }
    return tuple(sorted(inside - set(theory.system.constraints), key=str))


def _moves(model: StaticModel) -> sp.Expr:
    """A variance inside that is small on every scale: V/T stays finite as T -> 0."""
    norm, beta = imposed_norm(model.laws) or sp.S.One, model.laws.beta
    return norm / 10 if beta in (None, sp.oo) else norm / (10 * (1 + beta))


def _feasible(start: Start, model: StaticModel) -> Start:
    """Patterns bound the variance inside by the temperature."""
    V = sp.Symbol("V", real=True)
    return replace(start, values={**start.values, V: 5 * _moves(model)}) if V in start.values else start


def _frozen(theory: Theory, model: StaticModel) -> tuple[Start, ...]:
    """Copies nearly equal, near the latent and apart from it: where retrieval and glassy states are found.

    Overlaps and Parisi parameters are a staircase: on a straight line, as q(x) is near a continuous transition, or, where only a start
    nearby leads to a solution, on the curve of `_ground_state`.
    """
    first, norm = theory.system.starts[0].values, imposed_norm(model.laws) or sp.S.One
    moves = _moves(model)
    steps = [u for u in theory.system.unknowns if u.name.startswith("delta_") and not _is_conjugate(u)]
    parisi = [u for u in theory.system.unknowns if u.meaning == "Parisi parameter"]
    warm = model.laws.beta != sp.oo

    def start(name: str, m: sp.Expr, moves: sp.Expr = moves) -> Start:
        values: dict[sp.Symbol, sp.Expr] = {}
        for u in theory.system.unknowns:
            if u.name == "V":
                values[u.symbol] = moves
            elif u.name == "m":
                values[u.symbol] = m
            elif u in steps:
                values[u.symbol] = 2 * (norm - moves) / (2 * len(steps) + 1)
            elif u.name.startswith("q") and not _is_conjugate(u):
                values[u.symbol] = (norm - moves) / (2 * len(steps) + 1)
            elif u in parisi and warm:
                values[u.symbol] = sp.Rational(parisi.index(u) + 1, 2 * (len(parisi) + 1))
            else:
                values[u.symbol] = first[u.symbol]
        for u, equation in zip(theory.system.unknowns, theory.system.equations, strict=True):
            if _is_conjugate(u) and not equation.atoms(Tilted) and u.symbol not in equation.free_symbols:
                values[u.symbol] = equation.xreplace(values)
        return Start(name, values)

    if _deep(theory, model):
        return (Start("frozen", {u.symbol: _ground_state(len(parisi), norm).get(u.name, first[u.symbol]) for u in theory.system.unknowns}),)
    if model.laws.prior is None:
        return start("frozen", sp.S.Zero), start("thawing", sp.S.Zero, norm / 3)
    near = sp.Rational(19, 20) * sp.sqrt(norm * second_moment(model.laws.prior))
    return start("informed", near), start("frozen", sp.S.Zero)


def _is_conjugate(u: OrderParameter) -> bool:
    return u.name.endswith("_hat")


def _deep(theory: Theory, model: StaticModel) -> bool:
    """Whether weights are frozen into groups of groups: their free energy is nearly flat, and only a start nearby leads to a solution."""
    parisi = [u for u in theory.system.unknowns if u.meaning == "Parisi parameter"]
    return model.laws.prior is None and model.laws.beta == sp.oo and len(parisi) > 1


def _ground_state(steps: int, norm: sp.Expr) -> dict[str, sp.Expr]:
    """Name -> start of a staircase around q(x) = sqrt(pi)/2 (x/c) erf(c/x), which rises linearly and ends like 1 - (c/x)^2/3.

    That is the shape of q(x) at the ground state of coupled weights; the places of the steps follow those of one, two and three.
    Source of the shape: R. Oppermann, M. J. Schmidt & D. Sherrington, Phys. Rev. Lett. 98 (2007) 127201.
    """

    def curve(x: float) -> float:
        return math.sqrt(math.pi) / 2 * (x / 1.12) * math.erf(1.12 / x)

    shares = [i / (steps + 1.25) for i in range(1, steps + 1)]
    x = [0.8 * s**0.45 / (1 - s) ** 1.5 for s in shares]
    q = [curve(x[0] / 2), *(curve(math.sqrt(a * b)) for a, b in zip(x, x[1:], strict=False)), 1.0]
    overlaps = {"q0": q[0]} | {f"delta_q{i}": b - a for i, (a, b) in enumerate(zip(q, q[1:], strict=False), 1)}
    numbers = {name: norm * sp.Float(value, 6) for name, value in overlaps.items()}
    parisi = {f"x{i}": sp.Float(value, 6) for i, value in enumerate(x, 1)}
    return numbers | {f"{name}_hat": value for name, value in numbers.items()} | parisi | {"chi": sp.Float(1 / (3 * x[-1]), 6)}
