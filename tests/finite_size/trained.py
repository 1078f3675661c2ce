"""One finite system of a spec, drawn from seed 0 and trained."""

from replica.spec import Spec
from simulate.draw import draw
from simulate.learn.stages import solve


def trained(text, d, **at):
    """(instance, outcome) of a spec file's text at size d."""
    spec = Spec.from_toml(text).expand()
    instance = draw(spec, spec.at(at), d, 0)
    (outcome,) = solve([instance])
    assert not outcome.failure
    return instance, outcome
