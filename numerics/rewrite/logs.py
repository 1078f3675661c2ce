"""Sums of exponentials and mixtures without overflow, for averages that fell into several pieces."""

from __future__ import annotations

from collections.abc import Sequence

import sympy as sp

from replica.nodes import Sigmoid, Softplus


def log_add(terms: Sequence[sp.Expr]) -> sp.Expr:
    """log sum_i exp(terms_i): pairs in a balanced tree, each as A + log(1 + e^(B - A)), smooth and exact in its derivative."""
    terms = [t for t in terms if t != -sp.oo]
    if not terms:
        return -sp.oo
    while len(terms) > 1:
        pairs = [_pair(a, b) for a, b in zip(terms[::2], terms[1::2], strict=False)]
        terms = pairs + ([terms[-1]] if len(terms) % 2 else [])
    return terms[0]


def _pair(a: sp.Expr, b: sp.Expr) -> sp.Expr:
    return a + sp.log(2) if a == b else a + Softplus(b - a)


def mix(logs: Sequence[sp.Expr], values: Sequence[sp.Expr]) -> sp.Expr:
    """sum_i p_i values_i with p_i proportional to exp(logs_i)."""
    if len(values) == 1:
        return values[0]
    if len(values) == 2:
        return values[0] * Sigmoid(logs[0] - logs[1]) + values[1] * Sigmoid(logs[1] - logs[0])
    total = log_add(logs)
    return sp.Add(*(sp.exp(a - total) * v for a, v in zip(logs, values, strict=True)))
