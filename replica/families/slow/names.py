"""Symbols of slow flows, besides those that they share with one-pass theories."""

from __future__ import annotations

import sympy as sp

from replica.families.online.names import B, D, K, Q, R, T, b, batch, eta, k, l, t, v

__all__ = [
    "B", "D", "G_Q", "G_R", "G_v", "J", "K", "L", "M", "Q", "R", "S", "T", "a", "b", "batch", "c", "count", "e", "e_bar",
    "eta", "h", "h_bar", "held", "k", "l", "m", "n", "noise", "part", "q", "r", "t", "v", "variance",
]  # fmt: skip

e, h, e_bar, h_bar = map(sp.IndexedBase, ("e", "h", "e_bar", "h_bar"))  # error, its product with units, and derivatives in them
G_Q, G_R, G_v = map(sp.IndexedBase, ("G_Q", "G_R", "G_v"))  # derivatives of the modified loss
M, L, J, held = map(sp.IndexedBase, ("M", "L", "J", "H"))  # |v|^2 + W W^T, its factor and the inverse of that, and what it holds back
variance, count = map(sp.IndexedBase, ("Delta", "d"))  # by block
a, c = (sp.Symbol(name, integer=True) for name in "ac")  # blocks, in sums
m, q, r = (sp.Symbol(name, integer=True) for name in "mqr")  # units, in sums
noise, part, S = (sp.Symbol(name, nonnegative=True) for name in ("Delta_y", "f_b", "S"))
n = sp.Symbol("n", nonnegative=True)  # steps, the time of these flows
