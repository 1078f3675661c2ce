"""The energy of learners that train together: samples of each, and rows that hold them together."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from simulate.learn.energy import Energy, Parts, Term, direction, solve


@dataclass(frozen=True)
class Design:
    """The samples of one learner: fields = scale * inputs w[columns].

    Args:
        inputs: (n, p).
        columns: where its weights stand among those of all.
    """

    inputs: torch.Tensor
    columns: slice
    scale: float


@dataclass(frozen=True)
class Link:
    """Rows w[a] - w[b], one per coordinate.

    Args:
        a, b: (k,) places among the weights of all; their number stands for a weight that is not there, which is 0.
    """

    a: torch.Tensor
    b: torch.Tensor


@dataclass
class Joint(Energy):
    """One system of several learners, as a batch of one.

    Args:
        designs, links: their rows follow each other in this order.
        size: number of weights of all.
    """

    designs: tuple[Design, ...]
    links: tuple[Link, ...]
    size: int

    def fields(self, w: torch.Tensor) -> torch.Tensor:
        rows = [design.scale * (design.inputs @ w[0, design.columns]) for design in self.designs]
        known = torch.cat([w[0], w.new_zeros(1)])
        return torch.cat([*rows, *(known[link.a] - known[link.b] for link in self.links)])[None]

    def pull(self, g: torch.Tensor) -> torch.Tensor:
        found = g.new_zeros(self.size + 1)
        parts = torch.split(g[0], self._rows())
        for design, part in zip(self.designs, parts, strict=False):
            found[design.columns] += design.scale * (part @ design.inputs)
        for link, part in zip(self.links, parts[len(self.designs) :], strict=True):
            found.index_add_(0, link.a, part).index_add_(0, link.b, -part)
        return found[None, :-1]

    def newton(self, w: torch.Tensor, z: torch.Tensor, g: torch.Tensor, residual: torch.Tensor) -> torch.Tensor:
        samples, weights = self.at_fields(z)[2][0], self.at_weights(w)[2][0]
        lift = self.lifts(residual)[0]
        if len(self.designs) == 1 and not self.links:
            design = self.designs[0]
            return direction(design.inputs, design.scale, samples, weights, g[0], lift)[None]
        parts = torch.split(samples, self._rows())
        hessian = g.new_zeros(self.size + 1, self.size + 1)
        for design, part in zip(self.designs, parts, strict=False):
            active = part > 0
            x = design.inputs[active] * design.scale
            hessian[design.columns, design.columns] += x.T @ (part[active, None] * x)
        for link, part in zip(self.links, parts[len(self.designs) :], strict=True):
            for i, j, sign in ((link.a, link.a, 1), (link.b, link.b, 1), (link.a, link.b, -1), (link.b, link.a, -1)):
                hessian.index_put_((i, j), sign * part, accumulate=True)
        hessian = hessian[:-1, :-1]
        hessian.diagonal().add_(weights + lift * (weights.mean() + samples.sum() / self.size))
        return solve(hessian, g[0])[None]

    def _rows(self) -> list[int]:
        return [len(design.inputs) for design in self.designs] + [len(link.a) for link in self.links]


@dataclass
class Pieces:
    """Different functions on consecutive stretches of the fields or weights; each as `simulate.learn.scalars` offers it."""

    terms: tuple[Term, ...]
    sizes: tuple[int, ...]

    def __call__(self, t: torch.Tensor) -> Parts:
        found = [term(part) for term, part in self._each(t)]
        value, slope, curvature = (torch.cat(column, dim=1) for column in zip(*found, strict=True))
        return value, slope, curvature

    def violation(self, t: torch.Tensor) -> torch.Tensor:
        return torch.cat([term.violation(part) for term, part in self._each(t)], dim=1)

    def advance(self, t: torch.Tensor, stiffness: float) -> None:
        for term, part in self._each(t):
            term.advance(part, stiffness)

    def exact(self, t: torch.Tensor) -> torch.Tensor:
        return torch.cat([term.exact(part) for term, part in self._each(t)], dim=1)

    def _each(self, t: torch.Tensor) -> list[tuple[Term, torch.Tensor]]:
        return list(zip(self.terms, torch.split(t, list(self.sizes), dim=1), strict=True))
