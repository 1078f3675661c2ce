"""Fully connected networks trained by Adam, many instances side by side.

Layers are phi_l = activation(F_l phi_(l-1) / sqrt(p_(l-1))) and the output w.phi/sqrt(p), all weights standard normal at the start, so that
fields are of order one at any width.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import sympy as sp
import torch

from replica.formula import exact
from replica.spec.causality import during
from simulate.draw import generator, number
from simulate.instance import Instance, Unsupported
from simulate.learn.estimate import Estimate
from simulate.learn.features import Layers, activation_of
from simulate.learn.tape import Tape, numpy_operations, stable, torch_operations
from simulate.learn.terms import sees
from simulate.learn.threads import one_thread
from simulate.naming import last

_AHEAD = 500  # steps whose batches are drawn at once
_DECAY, _SMALL = (0.9, 0.999), 1e-8  # of Adam
_Y, _Z, _W = sp.symbols("y z w", real=True)


@one_thread()
def train(
    instances: Sequence[Instance], name: str, stage: Any, trained: Sequence[Mapping[str, Estimate]], device: str = "cpu"
) -> list[Estimate]:
    """The networks of one learner after a stage, in single precision while they train.

    Raises:
        Unsupported: a loss that uses another learner, or instances whose sample counts differ.
    """
    first = instances[0]
    learner, at = first.spec.learners[name], first.at
    protocol, network = during(learner, stage, "protocol"), learner.network
    rows = [np.flatnonzero(sees(instance, learner, stage)) for instance in instances]
    if len({len(one) for one in rows}) > 1:
        return [train([i], name, stage, [t], device)[0] for i, t in zip(instances, trained, strict=True)]
    x = torch.as_tensor(np.stack([i.arrays["x"][r] for i, r in zip(instances, rows, strict=True)]), dtype=torch.float32, device=device)
    y = torch.as_tensor(np.stack([i.arrays["y"][r] for i, r in zip(instances, rows, strict=True)]), dtype=torch.float32, device=device)
    formula, penalty = _energies(first, learner, stage)
    loss = Tape((stable(formula),), (_Y, _Z), torch_operations())
    activation, variable = activation_of(network, first)
    act = Tape((activation,), (variable,), torch_operations())
    cost = Tape((penalty,), (_W,), torch_operations()) if penalty != 0 else None
    rngs = [generator(i.spec.fingerprint, i.at, i.size, i.seed, f"training of {name}") for i in instances]
    weights = _start(instances, network, trained, rngs, device)
    free = weights[round(number(network.frozen, at)) :]
    for w in free:
        w.requires_grad_(True)
    optimizer = torch.optim.Adam(free, lr=number(protocol.rate, at), betas=_DECAY, eps=_SMALL)
    steps, size = round(number(protocol.steps, at)), min(round(number(protocol.batch, at)), y.shape[1])
    which = torch.arange(len(instances), device=device)[:, None]
    for step in range(steps):
        if step % _AHEAD == 0:
            drawn = np.stack([rng.integers(y.shape[1], size=(min(_AHEAD, steps - step), size)) for rng in rngs])
            batches = torch.as_tensor(drawn, device=device)
        chosen = batches[:, step % _AHEAD]
        energy = loss(y[which, chosen], _output(weights, act, x[which, chosen]))[0].mean(1).sum()
        if cost is not None:
            energy = energy + sum(cost(w)[0].sum() for w in weights) / y.shape[1]
        optimizer.zero_grad(set_to_none=True)
        energy.backward()
        optimizer.step()
    return [
        _estimate(instance, [w[i].detach().double().cpu().numpy() for w in weights], (activation, variable), formula, r, steps)
        for i, (instance, r) in enumerate(zip(instances, rows, strict=True))
    ]


def _energies(instance: Instance, learner: Any, stage: Any) -> tuple[sp.Expr, sp.Expr]:
    names = {name: exact(value) for name, value in instance.at.items()}
    others = {f"z_{name}": sp.Symbol(f"z_{name}", real=True) for name in instance.spec.learners}
    loss, regularizer = during(learner, stage, "loss"), during(learner, stage, "regularizer")
    formula = sp.sympify(loss.bind({**names, **others}).formula(_Y, _Z))
    if formula.free_symbols - {_Y, _Z} or loss.weights or learner.couple or learner.target not in (None, "label"):
        raise Unsupported("a network with couplings, weighted losses, another target or a loss of other outputs cannot be trained yet")
    return formula, sp.S.Zero if regularizer is None else sp.sympify(regularizer.bind(names).formula(_W))


def _output(weights: Sequence[torch.Tensor], act: Tape, x: torch.Tensor) -> torch.Tensor:
    """(B, n) outputs; `weights` are (B, p_l, p_(l-1)) layers and a (B, 1, p) readout."""
    phi = x
    for layer in weights[:-1]:
        phi = act(torch.bmm(phi, layer.transpose(1, 2)) / phi.shape[2] ** 0.5)[0]
    return torch.bmm(phi, weights[-1].transpose(1, 2))[:, :, 0] / phi.shape[2] ** 0.5


def _start(
    instances: Sequence[Instance], network: Any, trained: Sequence[Mapping[str, Estimate]], rngs: Sequence[np.random.Generator], device: str
) -> list[torch.Tensor]:
    d, at = instances[0].size, instances[0].at
    widths = [d, *(max(1, round(number(width, at) * d)) for width in network.widths), 1]
    shapes = list(zip(widths[1:], widths[:-1], strict=True))
    made = [[rng.standard_normal(shape) for shape in shapes] for rng in rngs]
    if network.copy_from is not None:
        for own, known in zip(made, trained, strict=True):
            source = known[str(last(tuple(known), network.copy_from))]
            copied = [*(source.layers.maps if source.layers is not None else ()), source.mean[None]]
            if [one.shape for one in copied] != shapes:
                raise Unsupported(f"the layers of '{network.copy_from}' have other widths and cannot be copied")
            own[:] = copied
    return [torch.as_tensor(np.stack(layer), dtype=torch.float32, device=device) for layer in zip(*made, strict=True)]


def _estimate(
    instance: Instance, weights: list[np.ndarray], activation: tuple[sp.Expr, sp.Symbol], formula: sp.Expr, rows: np.ndarray, steps: int
) -> Estimate:
    estimate = Estimate(weights[-1][0], steps=steps, layers=Layers(tuple(weights[:-1]), activation))
    y, z = instance.arrays["y"][rows], estimate.field(instance.arrays["x"][rows])
    extras = {"training_loss": float(np.mean(Tape((stable(formula),), (_Y, _Z), numpy_operations())(y, z)[0]))}
    if set(np.unique(y)) <= {-1.0, 1.0}:
        extras["training_error"] = float(np.mean(np.sign(z) != y))
    failure = "" if np.isfinite(extras["training_loss"]) else "training diverged"
    return Estimate(estimate.mean, steps=steps, layers=estimate.layers, extras=extras, failure=failure)
