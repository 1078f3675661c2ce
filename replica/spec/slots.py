"""Which kinds fill which slot: the folders of ingredients, and nothing else, are the table of names."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import ModuleType

from replica import (
    activations,
    algorithms,
    ansatz,
    channels,
    corruptions,
    ensembles,
    laws,
    losses,
    networks,
    priors,
    protocols,
    regularizers,
    selections,
)
from replica.ingredients import Ingredient, Parameter, kinds

FOLDERS: Mapping[str, ModuleType] = {
    "prior": priors, "channel": channels, "loss": losses, "regularizer": regularizers, "activation": activations, "law": laws,
    "network": networks, "protocol": protocols, "corruption": corruptions, "selection": selections, "algorithm": algorithms,
    "ansatz": ansatz, "ensemble": ensembles,
}


@cache
def slot_kinds(slot: str) -> Mapping[str, type[Ingredient]]:
    """Kind -> class of every kind of a slot; a form such as `formula` is no kind, it stands for one."""
    return kinds(FOLDERS[slot])


@cache
def forms(slot: str) -> Mapping[str, type[Ingredient]]:
    """Key -> class of the forms that a table without `kind` may have, e.g. `formula`."""
    return {cls.form: cls for cls in slot_kinds(slot).values() if cls.form}


def parameters(cls: type[Ingredient]) -> Mapping[str, Parameter]:
    """Parameters of a kind by their keys in a file."""
    return _parameters(cls)  # type: ignore[arg-type]  # mypy holds the hash of a dataclass against its class


@cache
def _parameters(cls: type[Ingredient]) -> Mapping[str, Parameter]:
    return {entry.key: entry for entry in cls.parameters()}
