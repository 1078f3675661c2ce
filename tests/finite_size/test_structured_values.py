"""Published points of structured problems: finite systems beside independent saddle points and independent finite systems."""

import numpy as np
import pytest

from simulate.finite_size import average, z_score
from simulate.runs import simulate
from tests.finite_size.structured import ENTRIES, problem

FAST = [e for e in ENTRIES if e["group"] in ("i_gmm", "iv_kd")][3:6]


def compared(entry, d, seeds):
    spec, names, published = problem(entry)
    runs = simulate(spec, sizes=(d or published,), seeds=seeds)
    assert not runs.failures
    found = {}
    for word, name in names.items():
        if word in entry["observables"]:
            mean, known = average(runs.values(name, d or published), d or published), entry["observables"][word]
            found[word] = [z_score(mean.value, mean.stderr, mean.freedom, known["theory"])]
            if d is None:
                both = float(np.hypot(mean.stderr, known["sim_se"]))
                found[word].append(z_score(mean.value, both, 2 * mean.freedom, known["sim_mean"]))
    assert len(found) >= 3
    return {word: z for word, z in found.items() if not max(map(abs, z)) < 4}


@pytest.mark.parametrize("entry", FAST, ids=lambda e: e["group"])
def test_published_saddle_points_in_small(entry):
    assert not compared(entry, 300, 6)


@pytest.mark.slow
@pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: e["group"])
def test_published_values(entry):
    assert not compared(entry, None, 20)
