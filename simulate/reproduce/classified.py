"""Deep binary networks that a paper asks for; they are trained once for all that is asked of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from replica.papers.ran import Classified
from simulate.instance import Unsupported
from simulate.reproduce.theories import NotComputable, Theories


def mean(theories: Theories, value: Classified) -> float:
    """The mean over seeds.

    Raises:
        NotComputable: torch or scikit-learn is not installed, or the training is refused.
    """
    return float(_shares(theories, value).mean())


def error(theories: Theories, value: Classified) -> float:
    """The standard error of that mean.

    Raises:
        NotComputable: as above.
    """
    return float(np.std(_shares(theories, value), ddof=1) / np.sqrt(value.seeds))


def _shares(theories: Theories, value: Classified) -> np.ndarray:
    """(seeds,) shares of samples in the right class."""
    key = repr(replace(value, training=False))
    if key not in theories.classified:
        try:
            from simulate.deep.binary import Training, train
            from simulate.deep.tables import bundled

            training = Training(value.rule, value.widths, value.epochs)
            found = train(bundled(value.data, range(value.seeds)), training)
        except (Unsupported, ImportError) as refusal:
            raise NotComputable(f"refused: {refusal}") from None
        theories.classified[key] = (found.accuracy, found.training_accuracy)
    return theories.classified[key][value.training]
