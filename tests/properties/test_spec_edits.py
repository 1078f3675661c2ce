"""Whatever is done to a spec file, the answer is a spec or a one-line error."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from replica.spec import Spec, SpecError
from tests.properties.spec_edits import edited

TEXTS = [path.read_text() for path in sorted((Path(__file__).parents[1] / "specs").glob("*.toml"))]


def survives(text: str) -> bool:
    """True for a spec whose expansion and file say the same; False for a one-line error; anything else fails."""
    try:
        spec = Spec.from_toml(text + "\n")
    except SpecError as error:
        assert str(error).isprintable() and len(str(error)) < 1500
        return False
    full = spec.expand()
    assert full.expand() == full
    assert Spec(**{key.name: value for key, value in full.present()}) == full
    assert Spec.from_toml(spec.to_toml()) == spec
    assert full.fingerprint == spec.fingerprint
    return True


@pytest.mark.parametrize("seed", range(10))
def test_random_edits_give_a_spec_or_one_line(seed):
    rng = random.Random(seed)
    kept = [survives(edited(rng.choice(TEXTS), rng.choice(TEXTS), rng)) for _ in range(80)]
    assert 0 < sum(kept) < len(kept)


@pytest.mark.slow
def test_twenty_thousand_random_edits():
    rng = random.Random(2026)
    for _ in range(20_000):
        survives(edited(rng.choice(TEXTS), rng.choice(TEXTS), rng))
