"""The controls at a point: given values over defaults, derived ones after them, all inside their domains."""

from __future__ import annotations

from collections.abc import Mapping

from replica.spec.errors import SpecError, shown, unknown
from replica.spec.expressions import evaluate, mentioned
from replica.spec.tables import Control, domain_text


def point(controls: Mapping[str, Control], values: Mapping[str, float]) -> dict[str, float]:
    """Every control by name, in the order of the table.

    Raises:
        SpecError: one sentence.
    """
    for name, value in values.items():
        if name not in controls:
            raise SpecError(unknown("control", str(name), controls), ("controls",))
        if controls[name].formula is not None:
            raise SpecError(f"is derived from other controls ({controls[name].formula}) and cannot be set", ("controls", name))
        if isinstance(value, bool | str) or value != value:
            raise SpecError(f"must be a number, found {shown(value)}", ("controls", name))
        _inside(name, float(value), controls[name])
    found: dict[str, float] = {}
    for name in derivation_order(controls):
        control = controls[name]
        if control.formula is None:
            assert control.value is not None
            found[name] = float(values.get(name, control.value))
            continue
        try:
            found[name] = evaluate(control.formula, found)
        except SpecError as error:
            raise error.under("controls", name, "formula") from None
        _inside(name, found[name], control)
    return {name: found[name] for name in controls}


def derivation_order(controls: Mapping[str, Control]) -> tuple[str, ...]:
    """Controls such that each one stands after those that its formula mentions.

    Raises:
        SpecError: for controls that are derived from one another in a circle.
    """
    order: list[str] = []
    waiting: list[str] = []

    def visit(name: str) -> None:
        if name in order:
            return
        if name in waiting:
            circle = " -> ".join([*waiting[waiting.index(name):], name])
            raise SpecError(f"is derived from itself ({circle})", ("controls", name, "formula"))
        waiting.append(name)
        for other in mentioned(controls[name].formula):
            if other in controls:
                visit(other)
        waiting.pop()
        order.append(name)

    for name in controls:
        visit(name)
    return tuple(order)


def _inside(name: str, value: float, control: Control) -> None:
    if value not in control.range:
        raise SpecError(f"{value:g} lies outside the domain {domain_text(control.range)}", ("controls", name))
