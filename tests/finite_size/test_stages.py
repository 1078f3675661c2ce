"""Stages of finite systems: where they end, and whose samples measure what the last one has learned."""

from pathlib import Path

import numpy as np

from replica.papers import papers
from replica.spec import Spec
from simulate.draw import draw
from simulate.draw.fresh import weights
from simulate.online.system import draw_system


def test_stages_end_at_the_nearest_steps():
    spec = Spec.from_toml(papers()["lottery"].specs["growing"]).expand()
    at = spec.at({"alpha": 40.0})
    for d in (100, 1000, 77):
        stages = draw_system(spec, at, d, np.random.default_rng(0)).stages
        ends = np.cumsum([stage.steps for stage in stages])
        assert ends[-1] == 40 * d and np.all(np.abs(ends - np.array([40, 80, 120]) * d / 3) <= 0.5)


def test_errors_are_those_of_the_slices_that_the_last_stage_learns_from():
    spec = Spec.from_toml(Path(__file__).parents[1] / "specs" / "p11_transfer.toml").expand()
    instance = draw(spec, spec.at({"alpha_source": 2.0}), 20, 0)
    assert {part for (part, _), _ in weights(instance)} == {"target"}
    assert {part for (part, _), _ in weights(instance, "source")} == {"source"}
