"""Identity of a model: a hash of its expanded tables without what does not change the finite systems."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from replica.ingredients import Ingredient
from replica.spec.document import Tables
from replica.spec.expressions import mentioned
from replica.spec.records import Record
from replica.spec.slots import parameters
from replica.spec.tables import Control, Domain, domain_text

_SETS = ("on", "learners", "blocks")


def fingerprint(full: Tables) -> str:
    """32 hexadecimal digits for expanded tables.

    Left out: name, notes, run, observables, ansatz, assume; theory and reason of learners; values and meanings of controls, and controls
    that nothing else of the model mentions.
    """
    parts = {word: getattr(full, word) for word in ("blocks", "latents", "slices", "learners", "stages")}
    bare = Tables(name="-").changed(**parts)
    pairs = [(a, b, value) for a, latent in bare.latents.items() for b, value in (latent.overlap or {}).items()]
    model = {
        "blocks": _canonical(bare.blocks),
        "slices": _canonical(bare.slices),
        "stages": _canonical(bare.stages),
        "latents": {name: _canonical(latent.changed(overlap=None)) for name, latent in bare.latents.items()},
        "overlaps": sorted([*sorted((a, b)), _canonical(value)] for a, b, value in pairs),
        "learners": {name: _canonical(one.changed(theory=None, reason=None)) for name, one in bare.learners.items()},
        "controls": {name: _control(full.controls[name]) for name in _reached(bare, full)},
    }
    text = json.dumps(model, sort_keys=True, separators=(",", ":"), allow_nan=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _control(control: Control) -> Any:
    return [domain_text(control.range), _canonical(control.formula), _canonical(control.solve)]


def _reached(bare: Tables, full: Tables) -> list[str]:
    """Controls that the model mentions, and those that these are derived from."""
    controls = full.controls
    waiting = [name for mention in bare.mentions() for name in mentioned(mention.text) if mention.kind in ("value", "formula")]
    found: list[str] = []
    while waiting:
        name = waiting.pop()
        if name in controls and name not in found:
            found.append(name)
            waiting += mentioned(controls[name].formula)
    return sorted(found)


def _canonical(value: Any) -> Any:
    """Data in which equal models are equal: every parameter of every ingredient, numbers by value, texts without blanks."""
    if isinstance(value, Ingredient):
        return {"kind": value.kind, **{key: _canonical(getattr(value, p.name)) for key, p in parameters(type(value)).items()}}
    if isinstance(value, Record):
        return {key.key: sorted(item) if key.key in _SETS else _canonical(item) for key, item in value.present()}
    if isinstance(value, Domain):
        return domain_text(value)
    if isinstance(value, Mapping):
        return {key: _canonical(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_canonical(item) for item in value]
    if isinstance(value, str):
        return "".join(value.split())
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
