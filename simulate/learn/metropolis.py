"""Compiled Metropolis sweeps for weights that couple to each other: single weights over an alphabet, pairs of weights on a sphere.

J comes flat, (d, d^(p-1)); `factorials` holds (p-1)! and (p-2)!, by which a sum over all index orders is divided.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, fastmath=True)
def contract(row, w, work):
    """sum over all indices of row[...] w w ..., row flat of length d^k; `work` has room for d^(k-1)."""
    d, size = len(w), len(row)
    if size == 1:
        return row[0]
    size //= d
    for a in range(size):
        total = 0.0
        for b in range(d):
            total += row[a * d + b] * w[b]
        work[a] = total
    while size > 1:
        size //= d
        for a in range(size):
            total = 0.0
            for b in range(d):
                total += work[a * d + b] * w[b]
            work[a] = total
    return work[0]


@njit(cache=True, nogil=True)
def sweep_atoms(J, factorials, squares, w, which, atoms, log_masses, beta, rng, fields, work):
    """One proposal per weight of one vector, another atom with equal odds; changes w and which; returns the change of the energy.

    Local fields of pairs are kept in `fields`, so that a refused proposal costs nothing; those of larger groups are summed anew.
    """
    d, kinds = len(w), len(atoms)
    pairs = J.shape[1] == d
    own = 0.0
    for i in range(d):
        own += w[i] * w[i]
    change = 0.0
    for i in range(d):
        new = (which[i] + 1 + int(rng.random() * (kinds - 1))) % kinds
        old_w, new_w = w[i], atoms[new]
        local = fields[i] if pairs else contract(J[i], w, work) / factorials[0]
        step = -(new_w - old_w) * local
        grown = new_w * new_w - old_w * old_w
        step += squares * grown * (own - old_w * old_w)
        cost = (beta * step if step != 0.0 else 0.0) - log_masses[new] + log_masses[which[i]]
        if cost <= 0.0 or rng.random() < np.exp(-cost):
            w[i], which[i] = new_w, new
            own += grown
            if pairs:
                for j in range(d):
                    fields[j] += J[i, j] * (new_w - old_w)
            change += step
    return change


@njit(cache=True, nogil=True)
def sweep_sphere(J, factorials, squares, w, step, beta, rng, work):
    """d rotations of pairs of weights by angles up to `step`; changes w; returns (change of the energy, part accepted)."""
    d, inner = len(w), J.shape[1] // len(w)
    change, accepted = 0.0, 0
    for _ in range(d):
        i = int(rng.random() * d)
        k = (i + 1 + int(rng.random() * (d - 1))) % d
        angle = step * (2 * rng.random() - 1)
        c, s = np.cos(angle), np.sin(angle)
        a, b = w[i], w[k]
        new_a, new_b = c * a - s * b, s * a + c * b
        both = contract(J[i][k * inner : (k + 1) * inner], w, work) / factorials[1]
        only_a = contract(J[i], w, work) / factorials[0] - b * both
        only_b = contract(J[k], w, work) / factorials[0] - a * both
        cost = -((new_a - a) * only_a + (new_b - b) * only_b + (new_a * new_b - a * b) * both)
        cost -= squares / 2 * (new_a**4 + new_b**4 - a**4 - b**4)
        if cost <= 0.0 or rng.random() < np.exp(-beta * cost):
            w[i], w[k] = new_a, new_b
            change += cost
            accepted += 1
    return change, accepted / d


@njit(cache=True, nogil=True)
def copy(source, target):
    """target[:] = source; a slice assignment would compile numba's shape errors, seconds of them."""
    for i in range(len(source)):
        target[i] = source[i]


@njit(cache=True, nogil=True)
def add(w, lead, mean):
    """mean += w, or -w where w points away from `lead` (zero: never)."""
    along = 0.0
    for i in range(len(w)):
        along += w[i] * lead[i]
    sign = -1.0 if along < 0 else 1.0
    for i in range(len(w)):
        mean[i] += sign * w[i]


@njit(cache=True, nogil=True)
def anneal_atoms(
    J, factorials, squares, w, which, atoms, log_masses, betas, start, lead, energy, rng, mean, mean_energy, best, best_energy
):
    """All chains (R, d) through the sweeps `betas` (R, T); averages from sweep `start` on, and the lowest state seen by each chain."""
    work, fields = np.empty(max(1, J.shape[1] // w.shape[1])), np.empty(w.shape[1])
    for r in range(len(w)):
        for i in range(w.shape[1]):
            fields[i] = contract(J[i], w[r], work) / factorials[0]
        for t in range(betas.shape[1]):
            energy[r] += sweep_atoms(J, factorials, squares, w[r], which[r], atoms, log_masses, betas[r, t], rng, fields, work)
            if energy[r] < best_energy[r]:
                best_energy[r] = energy[r]
                copy(w[r], best[r])
            if t >= start:
                mean_energy[r] += energy[r]
                add(w[r], lead, mean[r])


@njit(cache=True, nogil=True)
def anneal_sphere(J, factorials, squares, w, betas, start, lead, energy, rng, mean, mean_energy, best, best_energy):
    """The same on a sphere; the width of the angles follows the temperature until averages are taken."""
    work = np.empty(max(1, J.shape[1] // w.shape[1]))
    for r in range(len(w)):
        step = 0.5
        for t in range(betas.shape[1]):
            change, accepted = sweep_sphere(J, factorials, squares, w[r], step, betas[r, t], rng, work)
            energy[r] += change
            if t < start:
                step = min(3.0, step * np.exp(accepted - 0.4))
            if energy[r] < best_energy[r]:
                best_energy[r] = energy[r]
                copy(w[r], best[r])
            if t >= start:
                mean_energy[r] += energy[r]
                add(w[r], lead, mean[r])
