"""Whether learning by steps has a gradient and its moments exist: jumps, poles and growth are looked for in numbers, on fine grids."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import sympy as sp

from replica.arrays import evaluate
from replica.families.model import Underivable
from replica.families.online.reading import OnlineModel, X
from replica.labels import DiscreteLabels

_REACH, _POINTS = 8.0, 4001
_OFF = 1e-4 * np.sqrt(2)  # no point of the grid is a round number
LABELS = (1.0, -1.0, 0.3719)
_CLOSER, _TIMES = 16.0, 10
_JUMP = 1e-4
_STEEP = 0.42
"""A square has no mean where a function grows as distance to the power -1/2; measured powers scatter a little."""
Function = Callable[[np.ndarray], np.ndarray]


def jumps(function: Function) -> bool:
    """Whether a function of one variable jumps somewhere: whether its change stays while the interval shrinks."""
    x = np.linspace(-_REACH, _REACH, _POINTS) + _OFF
    change = np.abs(np.diff(_values(function, x)))
    for place in np.argsort(change)[-6:]:
        low, high = x[place], x[place + 1]
        for _ in range(_TIMES):
            inside = np.linspace(low, high, int(_CLOSER) + 1)
            best = int(np.argmax(np.abs(np.diff(_values(function, inside)))))
            low, high = inside[best], inside[best + 1]
        ends = _values(function, np.array([low, high]))
        if not abs(ends[1] - ends[0]) <= _JUMP * (1 + np.min(np.abs(ends))):
            return True
    return False


def has_pole(function: Function) -> bool:
    """Whether a function grows so fast near some point that its square has no mean."""
    x = np.linspace(-_REACH, _REACH, _POINTS) + _OFF
    size = np.abs(_values(function, x))
    for place in np.argsort(size)[-4:]:
        center, width, largest = x[place], x[1] - x[0], []
        for _ in range(_TIMES):
            near = center + width * (np.linspace(-1, 1, 8 * int(_CLOSER)) + _OFF)
            found = np.abs(_values(function, near))
            best = int(np.argmax(found))
            center, width = near[best], width / _CLOSER
            largest.append(found[best])
        first, last = largest[1], largest[-1]
        if last == np.inf or last > 0 and np.log(last / first) > _STEEP * np.log(_CLOSER) * (_TIMES - 2):
            return True
    return False


def explodes(function: Function) -> bool:
    """Whether a function grows as the exponential of a square, so that its mean depends on how wide a Gaussian is."""
    for sign in (1, -1):
        near, far = np.log(np.abs(_values(function, sign * np.array([9.0, 18.0]))) + 1)
        if far > 20 and not far < 3 * near:
            return True
    return False


def _values(function: Function, x: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        found = np.broadcast_to(np.asarray(function(x)), x.shape)
    return np.where(np.isnan(found), np.inf, np.real(found))


def checked(model: OnlineModel) -> OnlineModel:
    """The model; refused where gradients or moments of its loss, activation or channel do not exist.

    Raises:
        Underivable: names it.
    """
    y, z = sp.Dummy("y", real=True), sp.Dummy("z", real=True)
    numbers = {control.symbol: np.asarray(float(control.value)) for control in model.controls}

    def in_x(expression: sp.Expr, x: sp.Symbol) -> Function:
        return lambda values: evaluate(sp.sympify(expression), {**numbers, x: values})

    loss = model.loss.formula(y, z)
    slope = sp.diff(loss, z).replace(sp.DiracDelta, lambda *_: sp.S.Zero)
    where = f"learner.{model.learner}"
    for value in LABELS:
        given = in_x(loss.xreplace({y: sp.Float(value)}), z)
        if not has_pole(given) and jumps(given):
            raise Underivable(f"{where}.loss: '{model.loss.kind}' jumps, and the gradient that steps follow does not see it")
        if (kind := _bad(in_x(slope.xreplace({y: sp.Float(value)}), z))) is not None:
            raise Underivable(f"{where}.loss: the squared slope of '{model.loss.kind}' has no mean, {kind}")
    for part, name in ((model.student.output, "activation"), (sp.diff(model.student.output, X), "slope of the activation")):
        smooth = part.replace(sp.DiracDelta, lambda *_: sp.S.Zero)
        if (kind := _bad(in_x(smooth, X))) is not None:
            raise Underivable(f"{where}.network: the square of the {name} {part} has no mean, {kind}")
    for name, rule, xi in _rules(model, z):
        if (kind := _bad(in_x(slope.xreplace({y: rule, z: sp.Float(0.2)}), xi))) is not None:
            raise Underivable(f"channel '{name}': the squared slope of the loss on such labels has no mean, {kind}")
    return model


def _bad(function: Function) -> str | None:
    if has_pole(function):
        return "it grows without bound at a point"
    return "it grows as the exponential of a square" if explodes(function) else None


def _rules(model: OnlineModel, z: sp.Symbol) -> Iterator[tuple[str, sp.Expr, sp.Symbol]]:
    """Channels with their labels as functions of the noise, at some field."""
    xi = sp.Dummy("xi", real=True)
    for channel in dict.fromkeys(cell.target.channel for cell in model.cells):
        if channel is not None and not isinstance(channel.labels(), DiscreteLabels) and (rule := channel.map(z, xi)) is not None:
            yield channel.kind, sp.sympify(rule).xreplace({z: sp.Float(0.3719)}), xi
