"""Symbols of one-pass theories: sizes, indices, overlaps, parameters of a phase, and what is computed from them."""

from __future__ import annotations

import sympy as sp


def _size(name: str) -> sp.Symbol:
    return sp.Symbol(name, integer=True, positive=True)


def _index(name: str) -> sp.Symbol:
    return sp.Symbol(name, integer=True)


K, D, B, C = map(_size, "KDBC")  # units, directions, blocks of coordinates, cells of the data
S = _size("S")  # nodes
k, l, i, j, h, r = map(_index, "klijhr")  # units
t, u, n, m = map(_index, "tunm")  # directions
b, c, s = map(_index, "bcs")  # blocks, cells, nodes

Q, R, T, v = map(sp.IndexedBase, ("Q", "R", "T", "v"))
pi, variance, mean, label, fraction, test = map(sp.IndexedBase, ("p", "Delta", "mu", "y", "f", "p_test"))
eta, eta_v, gamma, batch = (sp.Symbol(name, nonnegative=True) for name in ("eta", "eta_v", "gamma", "b_size"))

C_Q, C_R, C_T, m_Q, m_T = map(sp.IndexedBase, ("C_Q", "C_R", "C_T", "m_Q", "m_T"))
force, slope_own, slope_other, noise, push, diagonal = map(sp.IndexedBase, ("F", "A", "E", "N", "G", "A_k"))
pull_own, pull_other = map(sp.IndexedBase, ("S_w", "S_u"))

lam, nu = map(sp.IndexedBase, ("lambda", "nu"))  # fields as they are printed
