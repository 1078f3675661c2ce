"""One-pass runs in stages whose lengths are no whole numbers of steps."""

import numpy as np

from replica.papers import papers
from replica.spec import Spec
from simulate.online.system import draw_system


def test_stages_end_at_the_nearest_steps():
    spec = Spec.from_toml(papers()["lottery"].specs["growing"]).expand()
    at = spec.at({"alpha": 40.0})
    for d in (100, 1000, 77):
        stages = draw_system(spec, at, d, np.random.default_rng(0)).stages
        ends = np.cumsum([stage.steps for stage in stages])
        assert ends[-1] == 40 * d and np.all(np.abs(ends - np.array([40, 80, 120]) * d / 3) <= 0.5)
