"""Which coordinates a spec gives its learners where these are not plain inputs: features, hidden manifolds, a covariance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import sympy as sp

from replica.families.model import Underivable, second_moment
from replica.families.reading import number
from replica.families.staged.problem import Cell, Site
from replica.families.staged.spectra import SYMBOLS, Hermite, eigenspaces, feature_sites, hermite
from replica.ingredients import Law
from replica.priors import Gaussian
from replica.spectrum import power


def is_spectral(law: Law | None) -> bool:
    """Whether the coordinates of a law's inputs differ in their variance."""
    return law is not None and (law.kind == "hidden_manifold" or type(law).spectrum is not Law.spectrum)


@dataclass(frozen=True)
class Spectrum:
    """Sites of a spectral law.

    Args:
        width: coordinates of a learner per d.
        moments: latent -> variance of the field with which it makes labels.
        kernel: Gaussian moments of the features, None for inputs as they are.
        mixed: whether groups may have means and variances of their own.
    """

    sites: tuple[Site, ...]
    width: sp.Expr
    moments: Mapping[str, sp.Expr]
    kernel: Hermite | None = None
    mixed: bool = False

    @property
    def biased(self) -> bool:
        return self.kernel is not None and self.kernel.constant != 0

    def seen(self, cell: Cell) -> Cell:
        """The cell as its learners see it.

        Raises:
            Underivable: means or variances of groups, which features mix.
        """
        if not self.mixed and (cell.mean or set(cell.variance.values()) != {sp.S.One}):
            raise Underivable(f"group.{cell.group}: means and variances of groups have no theory on this law of inputs yet")
        total = None if cell.of is None else self.moments[cell.of] * next(iter(cell.variance.values()))
        return replace(cell, alpha=cell.alpha / self.width, total=total)


def spectral(spec: Any, learners: list[str], latents: tuple[str, ...], names: Mapping[str, sp.Expr]) -> Spectrum | None:
    """The spectrum of the coordinates of these learners; None for plain inputs.

    Raises:
        Underivable: what is not built, in a sentence.
    """
    networks = {spec.learners[name].network for name in learners}
    laws = {part.law for part in spec.slices.values()}
    featured = [n for n in networks if n.kind == "random_features"]
    special = [law for law in laws if is_spectral(law)]
    if not featured and not special:
        return None
    if len(networks) > 1 or len(laws) > 1:
        raise Underivable("network: learners of different features, or slices of different laws, have no joint theory yet")
    if spec.blocks:
        raise Underivable("block: blocks of coordinates together with features or a covariance have no theory yet")
    if featured and special:
        raise Underivable(f"network: random features of a '{special[0].kind}' law have no theory yet (built: of gaussian and iid inputs)")
    moments = {t: second_moment(spec.latents[t].prior.bind(names)) for t in latents}
    if any(spec.latents[t].overlap for t in latents):
        raise Underivable("latent.overlap: correlated latents have no theory on features or a covariance yet")
    if featured:
        ratio = number(featured[0].ratio, names)
        return Spectrum(feature_sites(SYMBOLS, ratio, moments), ratio, moments, hermite(featured[0].activation))
    (law,) = special
    if law.kind == "hidden_manifold":
        aspect = 1 / number(law.latent_ratio, names)
        return Spectrum(feature_sites(SYMBOLS, aspect, moments), sp.S.One, moments, hermite(law.activation))
    strength = power(law.bind(names).spectrum())
    seen = {t: m * strength for t, m in moments.items()}
    normal = all(isinstance(spec.latents[t].prior, Gaussian) for t in latents)
    sites = tuple(replace(site, gaussian=normal) for site in eigenspaces(law, names, moments, _centers(spec)))
    return Spectrum(sites, sp.S.One, seen, mixed=True)


def _centers(spec: Any) -> frozenset[str]:
    """Latents along which groups have their means.

    Raises:
        Underivable: one that makes labels too, or whose overlap is asked for: it is kept in units of the eigenvalues.
    """
    groups = [g for part in spec.slices.values() for g in part.groups.values()]
    found = frozenset(t for g in groups for t in g.mean or {})
    if both := sorted(found & {g.label.of for g in groups}):
        raise Underivable(f"latent.{both[0]}: means and labels of one latent have no theory on a covariance yet")
    for name, record in (spec.observables or {}).items():
        pair = getattr(record, "overlap", None) or getattr(record, "cosine", None) or ()
        if found & set(pair):
            raise Underivable(f"observables.{name}: overlaps with a mean have no theory on a covariance yet")
    return found
