"""The smallest declarations that the simulator reads: expanded specs by hand, independent of the reader of spec files."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from replica.laws import Gaussian as GaussianInputs
from replica.protocols import ERM


@dataclass(frozen=True)
class HandSpec:
    """Teacher, one student, one slice with one group."""

    learner: Any
    latents: dict[str, Any]
    groups: dict[str, Any]
    values: dict[str, float]
    law: Any = field(default_factory=GaussianInputs)
    name: str = "by hand"
    stages: tuple[Any, ...] = (SimpleNamespace(name="train", protocol=None, learners=(), on=None),)
    run: Any = None

    @property
    def slices(self):
        return {"all": SimpleNamespace(law=self.law, alpha=None, samples=None, selection=None, groups=self.groups)}

    @property
    def learners(self):
        return {"student": self.learner}

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(repr((self.learner, self.latents, self.groups)).encode()).hexdigest()

    def expand(self):
        return self

    def at(self, values):
        return {**self.values, **values}


def learner(protocol: Any, loss: Any = None, regularizer: Any = None, prior: Any = None) -> Any:
    return SimpleNamespace(
        protocol=protocol, loss=loss, regularizer=regularizer, prior=prior, network=None, couple=None, blocks=None,
        self_overlap=None, believes=None,
    )


def group(channel: Any = None, of: str = "teacher", value: Any = None, share: Any = None, mean: Any = None, variance: Any = None) -> Any:
    label = SimpleNamespace(of=None if channel is None else of, channel=channel, bias=None, value=value)
    return SimpleNamespace(share=share, mean=mean, variance=variance, label=label, corruption=None)


def latent(prior: Any) -> Any:
    return SimpleNamespace(prior=prior, blocks=None, network=None, overlap=None, shape=None)


def erm(prior: Any, channel: Any, loss: Any, regularizer: Any, **values: float) -> HandSpec:
    return HandSpec(learner(ERM(), loss, regularizer), {"teacher": latent(prior)}, {"all": group(channel)}, values)
