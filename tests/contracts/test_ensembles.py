"""Wrong ensembles: one line that says what was found and what is allowed."""

import pytest

from replica.spec import SpecError
from tests.properties.ensembles import storage

WRONG = [
    ('{ kind = "robust", y = 0.5, overlap = 0.5 }', "y must lie in [1, inf], got y=0.5"),
    ('{ kind = "robust", y = 3 }', "takes exactly one of overlap coupling"),
    ('{ kind = "three_centres", y = 3 }', "did you mean 'two_centres'? (kinds: franz_parisi robust two_centres)"),
    ('{ kind = "franz_parisi" }', "needs the parameter 'overlap'"),
]


@pytest.mark.parametrize(("ensemble", "words"), WRONG)
def test_wrong_ensembles(ensemble, words):
    with pytest.raises(SpecError) as caught:
        storage(student=f"ensemble = {ensemble}")
    assert words in str(caught.value) and "\n" not in str(caught.value)
