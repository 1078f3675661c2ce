"""What a theory of Gibbs learners measures: entropies and complexities, predictions, energies, the replicon."""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from replica.families.chart import Regime
from replica.families.closed_level import ClosedLevel, plain
from replica.families.composition import Composition
from replica.families.declared import declared
from replica.families.draft import Closing
from replica.families.lengths import log_states
from replica.families.model import TEACHER, SharedLaws, Underivable
from replica.families.observables import Predictor, Sampled, prediction
from replica.families.replicated import Sheets
from replica.families.sheet import LevelSheet
from replica.tree import Overlap


def observables(composition: Composition, sheets: Sheets, levels: list[ClosedLevel]) -> dict[str, sp.Expr]:
    """Everything measured, by name; what is not defined for a composition is left out."""
    found = _measured(composition, sheets) | _entropies(composition, sheets, levels)
    found |= _energies(composition, sheets, levels[0]) if len(composition.models) == 1 else {}
    found |= _declared(composition, sheets, found)
    return found | _replicon(sheets, levels[-1].level)


def _entropies(composition: Composition, sheets: Sheets, levels: list[ClosedLevel]) -> dict[str, sp.Expr]:
    found: dict[str, sp.Expr] = {}
    first, last = levels[0], levels[-1]
    laws = composition.laws.by
    cold = all(model.laws.beta == sp.oo for model in composition.models.values())
    states = log_states(laws[composition.structure.members[0].name])
    counted = _counted(composition)
    if counted and composition.copies is None and composition.regime in (Regime.FINITE, Regime.GROUND):  # else states hold several learners
        found |= _complexities(composition, first)
        if cold and composition.regime is Regime.FINITE:  # elsewhere this is a free energy, and energies come with `_energies`
            found["internal_entropy"] = first.value + sp.Add(*(x * first.slope(x) for x in counted)) + states
    if len(levels) > 1:
        probe = composition.structure.members[-1].name
        found["local_entropy"] = last.value + log_states(laws[probe])
    if composition.selection is not None:
        return composition.selection.observables(first)
    if composition.copies is not None and len(levels) > 1:  # what is counted is the probe
        return found
    if composition.copies is not None:
        y = composition.real
        centre = [m for m in composition.structure.members if m.copies == 1]
        (copied,) = (m for m in composition.structure.members if m.copies != 1)
        slope = first.slope(y) if composition.regime is Regime.FINITE else first.value
        pull = sp.Add(*(weight * plain(sheets, o) for o, weight in sheets.pulls(copied.name)))  # of the coupling, no entropy
        found["local_entropy"] = slope + log_states(laws[copied.name]) - pull
        if composition.regime is Regime.FINITE:
            found["complexity"] = first.value - y * slope + sp.Add(*(log_states(laws[m.name]) for m in centre))
    elif cold and composition.regime is Regime.FINITE:
        found["entropy"] = _of_states(composition, first) + states
    return found


def _counted(composition: Composition) -> tuple[sp.Symbol, ...]:
    """Steps whose states have a number of their own; of several, those with an extremal Parisi parameter have none."""
    steps, free = composition.steps, composition.free_steps
    return steps if len(steps) == 1 else tuple(x for x in steps if x not in free)


def _complexities(composition: Composition, level: ClosedLevel) -> dict[str, sp.Expr]:
    """Log-number of states per weight, and what each of several steps contributes: x_j Phi = complexity_j + x_j (Phi inside a group)."""
    each = {x: -(x**2) * level.slope(x) for x in _counted(composition)}
    found = {"complexity": sp.Add(*each.values())}
    if len(each) > 1:
        found |= {f"complexity{composition.steps.index(x) + 1}": value for x, value in each.items()}
    return found


def _of_states(composition: Composition, level: ClosedLevel) -> sp.Expr:
    """Phi with the log-number of states counted once: at fixed Parisi parameters Phi = internal part + sum of complexity_j / x_j."""
    return level.value + sp.Add(*((x - x**2) * level.slope(x) for x in _counted(composition)))


def sampled(composition: Composition, sheets: Sheets, name: str) -> tuple[Sampled, Predictor]:
    """A learner as it meets a new sample: a draw from its Gibbs measure."""
    own = plain(sheets, Overlap(None, name, name))
    m = plain(sheets, Overlap("root", TEACHER, name)) if composition.structure.teacher else sp.S.Zero
    return Sampled(composition.models[name], sheets.closing, sheets.rho), Predictor(own, m)


def _measured(composition: Composition, sheets: Sheets) -> dict[str, sp.Expr]:
    """What a draw predicts, learner by learner; their names are left out where there is one."""
    found: dict[str, sp.Expr] = {}
    if not composition.structure.teacher:
        return found
    speaking = [m.name for m in composition.structure.members if not m.silent]
    for name in speaking:
        draw, predictor = sampled(composition, sheets, name)
        own = prediction(draw, predictor)
        own["estimation_mse"] = sheets.rho - 2 * predictor.covariance + predictor.variance
        found |= {key if len(speaking) == 1 else f"{key}[{name}]": value for key, value in own.items()}
    return found


def _declared(composition: Composition, sheets: Sheets, found: dict[str, sp.Expr]) -> dict[str, sp.Expr]:
    if len(composition.models) > 1:
        return {}
    draw, predictor = sampled(composition, sheets, composition.first.name)
    return declared(draw, predictor, found)


def _energies(composition: Composition, sheets: Sheets, level: ClosedLevel) -> dict[str, sp.Expr]:
    """Mean loss per sample under the Gibbs measure, energy and entropy."""
    model = composition.first
    laws = model.laws
    assert laws.beta is not None
    if composition.regime is Regime.GROUND:  # d(beta Phi)/d beta at fixed Parisi parameters, which are counted in units of 1/beta
        moved = tuple(x for x in composition.steps if x not in composition.free_steps)
        return {"energy": -level.value - sp.Add(*(x * level.slope(x) for x in moved))}
    if laws.beta == sp.oo:
        return {"training_loss": sp.S.Zero}
    if laws.regularizer is not None or composition.copies is not None:  # of all copies, they are not those of one
        return {}
    beta = sp.Dummy("beta", positive=True)
    warm = Closing(SharedLaws({model.name: replace(laws, beta=beta)}), sheets.structure.label)
    mean = -warm.energetic(level.level.energetic.xreplace(sheets.chart)).diff(beta).xreplace({beta: laws.beta}).xreplace(sheets.rest)
    energy = model.alpha * mean
    return {"training_loss": mean, "energy": energy, "entropy": _of_states(composition, level) + laws.beta * energy + log_states(laws)}


def _replicon(sheets: Sheets, level: LevelSheet) -> dict[str, sp.Expr]:
    """The smallest of the learners' replicons, innermost level; none where a weight jumps, which makes it infinite."""
    found = []
    for species, (out, into) in level.slopes.items():
        power = 2 * sheets.power(sheets.variance(species)) if sheets.regime is not Regime.EDGE else -2
        try:
            found.append(1 - sheets.alpha * sheets.energetic(out, -power) * sheets.entropic(into, power))
        except Underivable:
            return {}
    found += [1 - sheets.alpha * sheets.energetic(out) * sheets.entropic(into) for out, into in level.between]
    return {"replicon": found[0] if len(found) == 1 else sp.Min(*found, evaluate=False)}
