"""Empirical risk minimisation of instances side by side, in double precision, on a CPU or a GPU."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import sympy as sp
import torch

from simulate.draw.numbers import bound
from simulate.instance import Instance, Unsupported
from simulate.learn.energy import Batch, Energy, Term
from simulate.learn.estimate import Estimate
from simulate.learn.minimise import lbfgs, multipliers, newton
from simulate.learn.scalars import Multiplied, Scalar, Smooth
from simulate.learn.tape import Tape, torch_operations
from simulate.learn.threads import side_by_side

TOLERANCE = 1e-8
"""Largest optimality residual that is accepted: |gradient| over the two parts that cancel, and for kinked terms the
relative distance of fields from their proximal points."""

Y, Z, ZERO = sp.Symbol("y", real=True), sp.Symbol("z", real=True), sp.S.Zero
_CHUNK = 64 * 2**20  # bytes of inputs trained together on a CPU, so that they stay in cache
_STEPS = 250  # of L-BFGS, before Newton takes over


def loss_of(instance: Instance, learner: Any) -> Scalar:
    """The loss of a learner at the controls of an instance, as a function of (y, z)."""
    return Scalar(sp.sympify(bound(learner.loss, instance.at).formula(Y, Z)), Y, Z)


def penalty_of(instance: Instance, learner: Any) -> Scalar:
    """The penalty of one weight."""
    if learner.regularizer is None:
        return Scalar(sp.S.Zero, Y, Z)
    return Scalar(sp.sympify(bound(learner.regularizer, instance.at).formula(Z)), Y, Z)


def train(instances: Sequence[Instance], learner: Any, device: str = "cpu") -> list[Estimate]:
    """Minimisers of sum of losses plus sum of penalties.

    Args:
        instances: of one spec, point and size; their sample counts must agree.
        device: "cpu" or "cuda".

    Raises:
        Unsupported: a loss or penalty that is not convex, or a learner that is not one linear weight vector.
    """
    _check(learner)
    loss, penalty = loss_of(instances[0], learner), penalty_of(instances[0], learner)
    for name, scalar in (("loss", loss), ("regularizer", penalty)):
        if not scalar.convex:
            reason = "no minimum can be certified (gradient_descent gives the lowest of several)"
            raise Unsupported(f"{name} {scalar.formula} is not convex: {reason}")
    if device != "cpu":
        return _minimise(instances, loss, penalty, device)
    n, d = instances[0].arrays["x"].shape
    size = max(1, min(8, _CHUNK // (8 * n * d), -(-len(instances) // (os.cpu_count() or 1))))
    chunks = [instances[i : i + size] for i in range(0, len(instances), size)]
    found = side_by_side(lambda chunk: _minimise(chunk, loss, penalty, device), chunks)
    return [estimate for chunk in found for estimate in chunk]


def _check(learner: Any) -> None:
    if getattr(learner.loss, "weights", None):
        raise Unsupported("a loss with weights per group cannot be trained yet")
    network = learner.network
    if network is not None and network.kind != "linear":
        raise Unsupported(f"network '{network.kind}' cannot be trained yet")
    if network is not None and network.bias:
        raise Unsupported("network 'linear' with a bias cannot be trained yet")
    for key in ("couple", "blocks", "self_overlap", "prior"):
        if getattr(learner, key, None):
            raise Unsupported(f"a learner with '{key}' cannot be trained yet")


def _minimise(chunk: Sequence[Instance], loss: Scalar, penalty: Scalar, device: str) -> list[Estimate]:
    with torch.inference_mode():
        x = torch.as_tensor(chunk[0].arrays["x"][None] if len(chunk) == 1 else np.stack([i.arrays["x"] for i in chunk]), device=device)
        y = torch.as_tensor(np.stack([i.arrays["y"] for i in chunk]), device=device)
        start = torch.zeros(len(chunk), x.shape[2], dtype=torch.float64, device=device)
        kinked = bool(loss.kinks or penalty.kinks)
        energy = Batch(term(loss, (y,)), term(penalty, (torch.zeros_like(start),)), x, kinked=kinked)
        w, residual, steps = minimise(energy, start)
        values = energy.loss.exact(energy.fields(w)).sum(1) + energy.penalty.exact(w).sum(1)
    estimates = []
    for weight, rest, value in zip(w.cpu().numpy(), residual.cpu().numpy(), values.cpu().numpy(), strict=True):
        ok = bool(rest <= TOLERANCE) and bool(np.isfinite(value))
        failure = "" if ok else f"not at the optimum: residual {rest:.1e} after {steps} steps, allowed {TOLERANCE:.0e}"
        extras = {"energy": float(value) / weight.size}
        estimates.append(Estimate(weight, residual=float(rest), failure=failure, steps=steps, extras=extras))
    return estimates


def minimise(energy: Energy, start: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, int]:
    """(w, residual, steps taken): L-BFGS, then Newton where it stalls; the method of multipliers for kinked terms."""
    if energy.kinked:
        return multipliers(energy, start)
    w, residual, steps = lbfgs(energy, start, _STEPS)
    if bool((residual <= TOLERANCE).all()):
        return w, residual, steps
    w, residual, more = newton(energy, torch.where(w.isfinite().all(1)[:, None], w, start))
    return w, residual, steps + more


def term(scalar: Scalar, data: tuple[torch.Tensor, ...]) -> Term:
    """A scalar function at its data, kinked or smooth; all tensors are (B, k)."""
    operations = torch_operations()
    tape = scalar.tape(operations)
    if not scalar.kinks:
        return Smooth(tape, data)
    kinks = tuple(Tape((k,), scalar.data, operations)(*data)[0] for k in scalar.kinks)
    return Multiplied(tape, data, torch.zeros_like(data[0]), kinks)
