"""Names of the order parameters of a structured problem: m, q, chi and their conjugates, by vector, latent and block."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from replica.families.staged.problem import FIELD, Problem, Site

_OF_FIELDS = {"m": "field_overlap", "q": "field_variance", "chi": "field_response"}


@dataclass(frozen=True)
class Names:
    """Brackets hold what is needed to tell order parameters apart; `a@block` is what a vector has on a block; zero where none lives."""

    problem: Problem

    def m(self, base: str, vector: str, latent: str, hat: bool = False) -> sp.Expr:
        """An overlap stands where some cell shows the latent, its conjugate where the vector is trained on such a cell."""
        alive = any(s.moment(latent, t) != 0 for s in self._sites(base, vector) for t in self.problem.latents)
        if not alive or not self.problem.shown(latent, base, self.problem.vector(vector) if hat else None):
            return sp.S.Zero
        alone = len(self.problem.vectors) == 1 and len(self.problem.latents) == 1
        return self._symbol("m", [] if alone and not _block(base) else [self._on(vector, base), latent], base, hat)

    def q(self, base: str, a: str, b: str, hat: bool = False) -> sp.Expr:
        """Symmetric: the pair in the order of training."""
        if not self._sites(base, a, b):
            return sp.S.Zero
        return self._symbol("q", self._pair(*self.ordered(a, b), base), base, hat)

    def chi(self, base: str, a: str, b: str, hat: bool = False) -> sp.Expr:
        """The response of a to a field on b; symmetric inside a stage."""
        if not self._sites(base, a, b):
            return sp.S.Zero
        if self.problem.vector(a).stage == self.problem.vector(b).stage:
            a, b = self.ordered(a, b)
        return self._symbol("chi", self._pair(a, b, base), base, hat)

    def bias(self, vector: str) -> sp.Symbol:
        return self._symbol("bias", [vector] if len(self.problem.vectors) > 1 else [], "", False)

    def ordered(self, a: str, b: str) -> tuple[str, str]:
        order = [v.name for v in self.problem.vectors]
        return (a, b) if order.index(a) <= order.index(b) else (b, a)

    def _sites(self, base: str, *vectors: str) -> list[Site]:
        """Where a base profile does not vanish and all of these vectors live."""
        alive = [set(self.problem.vector(v).sites) for v in vectors]
        return [s for s in self.problem.sites if s.profile[base] != 0 and all(s.name in where for where in alive)]

    def _pair(self, a: str, b: str, base: str) -> list[str]:
        if len(self.problem.vectors) > 1:
            return [self._on(a, base), self._on(b, base)]
        return [self._on(a, base)] if self._told(a, base) else []

    def _on(self, vector: str, base: str) -> str:
        return f"{vector}@{base}" if self._told(vector, base) else vector

    def _told(self, vector: str, base: str) -> bool:
        """Whether a name says where: not of the weights that are trained on features."""
        return _block(base) and (self.problem.mixed(base) is None or self.problem.above(vector, self.problem.site(base)) is not None)

    def _symbol(self, letter: str, inside: list[str], base: str, hat: bool) -> sp.Symbol:
        word = _OF_FIELDS.get(letter, letter) if base == FIELD else letter
        text = word + (f"[{','.join(inside)}]" if inside else "")
        return sp.Symbol(text + ("_hat" if hat else ""), real=True)


def _block(base: str) -> bool:
    return base not in ("", FIELD)
