"""Which clusters of a mixture the units of a student stand for."""

from __future__ import annotations

import numpy as np

from numerics.flow.compile import FlowModule
from numerics.flow.record import Trajectory
from numerics.flow.values import FlowValues


def covered(module: FlowModule, found: Trajectory, cosine: float = 0.5) -> np.ndarray:
    """(n,) clusters of the last phase towards which some unit points whose readout has the sign of their label, at each time.

    Clusters are distinct pairs of a mean and a label.

    Args:
        cosine: of the widest angle between the weights and the mean; zero counts every unit on the right side.

    Raises:
        ValueError: the flow has no clusters.
    """
    flow, values = module.theory.system, FlowValues(module.theory.system, module.plan, found.at)
    last, arrays = flow.phases[-1], {array.name: array for array in module.plan.parameters}
    if not {"p", "mu", "y"} <= set(arrays):
        raise ValueError("the data have no clusters: cells with a mean and a label of their own")
    odds, means, labels = (values.table(last, arrays[name]) for name in ("p", "mu", "y"))
    clusters = np.unique(np.column_stack([means, labels])[(odds > 0) & (labels != 0) & np.any(means != 0, axis=1)], axis=0)
    if not len(clusters):
        raise ValueError("the data have no clusters: cells with a mean and a label of their own")
    means, labels = clusters[:, :-1], clusters[:, -1]
    own, cross = (_whole(found, name) for name in ("Q", "R"))
    lengths = np.sqrt(np.einsum("ct,tu,cu->c", means, found.last["T"].sum(axis=0), means))
    along = np.einsum("nkt,ct->nkc", cross, means) / np.sqrt(np.einsum("nkk->nk", own))[..., None] / lengths
    readout = found.arrays["v"] if "v" in found.arrays else np.ones(own.shape[:2])
    fits = (along > cosine) & (readout[..., None] * labels > 0)
    return fits.any(axis=1).sum(axis=1)


def _whole(found: Trajectory, name: str) -> np.ndarray:
    """Overlaps summed over the blocks of coordinates."""
    values = found.arrays[name]
    return values.sum(axis=1) if "block" in found.labels[name] else values
