"""Bayes-optimal learner: teacher and student carry the same laws, one overlap is left (Nishimori)."""

from __future__ import annotations


def theory(draft):
    raise NotImplementedError
