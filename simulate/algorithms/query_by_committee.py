"""Query by committee: the label is asked for where the votes of learners are most divided that agree with all labels so far.

Members are uniform samples of the weights that agree.  Those whom a new label contradicts are replaced by copies of others, and all
move on by jumps and flights (see `hit_and_run`).
"""

from __future__ import annotations

import numpy as np

from simulate.algorithms.parts.querying import Querying
from simulate.instance import Unsupported
from simulate.iteration import State, Status
from simulate.learn import hit_and_run
from simulate.learn.target import target_of

SELECTS = True  # it takes the whole pool


class QueryByCommittee(Querying):
    """For learners whose weights are uniform on a sphere where all labels are right."""

    def prepare(self) -> None:
        super().prepare()
        self.margin, target = hit_and_run.margin_of(self.instance, self.inner.learner), target_of(self.instance, self.inner.learner)
        if target.prior.pinned_norm() is None:
            raise Unsupported(f"a committee is drawn from a spherical prior, not from '{target.prior.kind}'")
        self.prior, self.fields = target.prior, self.x / np.sqrt(self.instance.size)

    def init(self, rng: np.random.Generator, attempt: int) -> State:
        members = self.prior.sample(rng, (int(self.options["members"]), self.instance.size))
        return {**super().init(rng, attempt), "members": np.asarray(members, float), "agree": True}

    def stop(self, state: State) -> Status | None:
        """Stuck where no weights are found that agree with all labels."""
        return super().stop(state) if state["agree"] else Status.STUCK

    def certainty(self, state: State, rows: np.ndarray) -> np.ndarray:
        return np.abs(np.sign(state["members"] @ self.fields[rows].T).sum(axis=0))

    def learn(self, state: State, rng: np.random.Generator) -> None:
        super().learn(state, rng)
        rows = self.y[state["asked"], None] * self.fields[state["asked"]]
        members = state["members"]
        good = members[np.all(members @ rows.T >= self.margin, axis=1)]
        if not len(good):
            one = hit_and_run.find(rows, self.margin, members[0].copy())
            if one is None:
                state["agree"] = False
                return
            good = one[None]
        state["members"] = np.concatenate([good, good[rng.integers(len(good), size=len(members) - len(good))]])
        gram = rows @ rows.T
        for member in state["members"]:
            hit_and_run.move(rows, gram, self.margin, member, int(self.options["flights"]), rng)
