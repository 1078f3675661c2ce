"""Networks whose weights and hidden units are signs, trained by the means of random weights or straight through the signs.

z_l = W_l h_(l-1) / sqrt(fan-in) + b_l and h_l = sign(z_l), with W_l of signs and thresholds b_l of any size; the class is that of the
largest z of the last layer.  Both trainings end in such a network, and only that is tested.

`stochastic_weights`: W_l are independent random signs of means tanh(c theta_l), theta_l in [-1, 1].  Fields are taken for Gaussian, their
means and variances are carried from layer to layer, and c grows until signs can be all but certain.
Source: Baldassi et al., Phys. Rev. Lett. 120 (2018) 268103.

`straight_through`: W_l are the signs of theta_l in [-1, 1], and slopes pass a sign as if it were not there, those of units only where
|z| <= 1.  Source: Hubara et al., Advances in Neural Information Processing Systems 29 (2016).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from simulate.deep.tables import Tables
from simulate.instance import Unsupported
from simulate.learn.threads import one_thread

SMALLEST = 1e-3
"""Variance of a field below which its slopes would be all but steps."""
DECAY = 0.01
"""Of the learning rate, in all, along half a cosine."""


@dataclass(frozen=True)
class Training:
    """One way of training.

    Args:
        rule: "stochastic_weights" or "straight_through".
        widths: of the hidden layers.
        epochs, batch: passes over the samples, and how many samples make a step of Adam.
        rate: of Adam at the start; scale: of the outputs in the logistic loss at the start, from where it is trained.
            None takes USUAL.
        growth: factor by which c grows from 1 to the end; stochastic weights only.
    """

    rule: str
    widths: tuple[int, ...] = (64, 64)
    epochs: int = 30
    batch: int = 100
    rate: float | None = None
    scale: float | None = None
    growth: float = 3.0

    def __post_init__(self) -> None:
        if self.rule not in RULES:
            raise Unsupported(f"training: rule must be one of {' '.join(RULES)}, got '{self.rule}'")
        whole = {"epochs": self.epochs, "batch": self.batch, **{f"widths[{i}]": width for i, width in enumerate(self.widths)}}
        for name, number in whole.items():
            if number != int(number) or number < 1:
                raise Unsupported(f"training: {name} must be a whole number of 1 or more, got {number}")
        for name, value in {"rate": self.rate, "scale": self.scale, "growth": self.growth}.items():
            if value is not None and not value > 0:
                raise Unsupported(f"training: {name} must be positive, got {value}")


@dataclass(frozen=True)
class Trained:
    """Networks of signs after training, one per seed.

    Args:
        weights: (S, out, in) signs of every layer; thresholds: (S, 1, out).
        accuracy, training_accuracy: (S,) share of samples put in the right class, of the test and of those learned from.
    """

    weights: tuple[np.ndarray, ...] = field(repr=False)
    thresholds: tuple[np.ndarray, ...] = field(repr=False)
    accuracy: np.ndarray
    training_accuracy: np.ndarray


@one_thread()
def train(tables: Tables, training: Training, device: str = "cpu") -> Trained:
    """One network per cut of a table, all side by side, in single precision.

    Raises:
        Unsupported: a device that is not there, or batches larger than the table.
    """
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise Unsupported("no GPU is found; leave out the device")
    count = tables.y.shape[1]
    if training.batch > count:
        raise Unsupported(f"training: a batch of {training.batch} is more than the {count} samples to learn from")
    x, test = (torch.as_tensor(part, dtype=torch.float32, device=device) for part in (tables.x, tables.test_x))
    y, test_y = (torch.as_tensor(part, dtype=torch.int64, device=device) for part in (tables.y, tables.test_y))
    rngs = [np.random.default_rng([seed, count, 1]) for seed in tables.seeds]
    sizes = [x.shape[2], *training.widths, tables.classes]
    shapes = list(zip(sizes[1:], sizes[:-1], strict=True))
    theta = [torch.as_tensor(np.stack([rng.uniform(-1, 1, shape) for rng in rngs]), dtype=torch.float32, device=device) for shape in shapes]
    thresholds = [torch.zeros(len(rngs), 1, out, device=device) for out, _ in shapes]
    rate, scale = (given or usual for given, usual in zip((training.rate, training.scale), USUAL[training.rule], strict=True))
    log_scale = torch.full((len(rngs), 1, 1), float(np.log(scale)), device=device)
    for parameter in (*theta, *thresholds, log_scale):
        parameter.requires_grad_(True)
    optimizer = torch.optim.Adam([*theta, *thresholds, log_scale], lr=rate)
    per_epoch = count // training.batch
    steps, which = training.epochs * per_epoch, torch.arange(len(rngs), device=device)[:, None]
    for step in range(steps):
        if step % per_epoch == 0:
            order = torch.as_tensor(np.stack([rng.permutation(count) for rng in rngs]), device=device)
        part = step / steps
        optimizer.param_groups[0]["lr"] = rate * (DECAY + (1 - DECAY) * (1 + np.cos(np.pi * part)) / 2)
        chosen = order[:, (step % per_epoch) * training.batch :][:, : training.batch]
        logits = RULES[training.rule](theta, thresholds, x[which, chosen], log_scale.exp(), training.growth**part)
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), y[which, chosen].flatten(), reduction="sum") / training.batch
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            for one in theta:
                one.clamp_(-1, 1)
    with torch.no_grad():
        signs = [_sign(one) for one in theta]
        shares = [(outputs(signs, thresholds, a).argmax(2) == b).double().mean(1).cpu().numpy() for a, b in ((test, test_y), (x, y))]
    weights, kept = (tuple(one.detach().cpu().numpy() for one in part) for part in (signs, thresholds))
    return Trained(weights, kept, *shares)


def outputs(signs: Sequence[Any], thresholds: Sequence[Any], x: Any) -> Any:
    """(S, n, classes) fields of the last layer at inputs (S, n, d)."""
    h = x
    for w, b in zip(signs[:-1], thresholds[:-1], strict=True):
        h = _sign(_fields(h, w, b))
    return _fields(h, signs[-1], thresholds[-1])


def moments(means: Sequence[Any], thresholds: Sequence[Any], x: Any) -> tuple[Any, Any]:
    """(S, n, classes) mean and variance of the fields of the last layer, for independent random signs of these means.

    Units are taken for independent, and fields for Gaussian.
    """
    h, square = x, x * x
    for layer, (m, b) in enumerate(zip(means, thresholds, strict=True)):
        mean = _fields(h, m, b)
        variance = (square.sum(2, keepdim=True) - torch.bmm(h * h, (m * m).transpose(1, 2))) / m.shape[2]
        if layer + 1 < len(means):
            h = torch.erf(mean / (2 * variance.clamp_min(SMALLEST)) ** 0.5)
            square = torch.ones_like(h)
    return mean, variance


def _by_means(theta: Sequence[Any], thresholds: Sequence[Any], x: Any, scale: Any, growth: float) -> Any:
    """Logits whose odds are close to the mean odds of Gaussian fields (MacKay, Neural Computation 4 (1992) 720)."""
    mean, variance = moments([torch.tanh(growth * one) for one in theta], thresholds, x)
    return scale * mean / (1 + np.pi / 8 * scale**2 * variance) ** 0.5


def _straight_through(theta: Sequence[Any], thresholds: Sequence[Any], x: Any, scale: Any, growth: float) -> Any:
    h = x
    for layer, (one, b) in enumerate(zip(theta, thresholds, strict=True)):
        z = _fields(h, one + (_sign(one) - one).detach(), b)
        if layer + 1 < len(theta):
            slope = z.clamp(-1, 1)  # a slope of one where |z| <= 1, and none beyond
            h = slope + (_sign(z) - slope).detach()
    return scale * z


def _fields(h: Any, w: Any, b: Any) -> Any:
    return torch.bmm(h, w.transpose(1, 2)) / w.shape[2] ** 0.5 + b


def _sign(z: Any) -> Any:
    return torch.where(z >= 0, 1.0, -1.0).to(z.dtype)


RULES: dict[str, Callable[..., Any]] = {"stochastic_weights": _by_means, "straight_through": _straight_through}
"""Rule -> logits (S, n, classes) of parameters, inputs, scale and c."""
USUAL = {"stochastic_weights": (0.3, 1.0), "straight_through": (0.3, 4.0)}
"""Rule -> (rate, scale): for either about the best of 0.03, 0.1, 0.3, 1 and of 1, 4 on six cuts of the digits that appear nowhere else;
`growth` was chosen by hand besides."""
