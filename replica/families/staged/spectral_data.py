"""Which coordinates a spec gives its learners where these are not plain inputs: features, hidden manifolds, a covariance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import sympy as sp

from replica.families.model import Underivable, second_moment
from replica.families.reading import number
from replica.families.staged import measured
from replica.families.staged.compress import compressed
from replica.families.staged.problem import FIELD, Cell, Site
from replica.families.staged.spectra import Hermite, eigenspaces, features, hermite, is_odd, moments_of, symbols_of
from replica.ingredients import Law
from replica.priors import Gaussian
from replica.spec.causality import during
from replica.spectrum import power
from replica.symbols import Control
from replica.theory import Assumption


def is_spectral(law: Law | None) -> bool:
    """Whether the coordinates of a law's inputs differ in their variance."""
    return law is not None and (law.kind == "hidden_manifold" or type(law).spectrum is not Law.spectrum)


@dataclass(frozen=True)
class Spectrum:
    """Sites of a spectral law and of features.

    Args:
        alive: learner -> sites of its weights.
        moments: latent -> variance of the field with which it makes labels.
        biased: learners whose features have a mean, which carries a bias that costs nothing.
        mixed: whether groups may have means and variances of their own.
        degrees, numbers, counts, measured, remarks: as a problem has them.
    """

    sites: tuple[Site, ...]
    alive: Mapping[str, tuple[str, ...]]
    moments: Mapping[str, sp.Expr]
    biased: frozenset[str] = frozenset()
    mixed: bool = False
    degrees: Mapping[str, sp.Expr] = field(default_factory=dict)
    numbers: Mapping[sp.Basic, sp.Basic] = field(default_factory=dict)
    counts: Mapping[str, sp.Expr] = field(default_factory=dict)
    measured: tuple[Control, ...] = ()
    remarks: tuple[Assumption, ...] = ()

    @property
    def bases(self) -> tuple[str, ...]:
        return (FIELD, *(site.name for site in self.sites if site.reads))

    @property
    def sizes(self) -> dict[str, sp.Expr]:
        return {FIELD: sp.S.One} | {site.name: site.fraction for site in self.sites if site.reads}

    def profiled(self) -> tuple[Site, ...]:
        """The sites with every base in their profiles."""
        others = self.bases[1:]
        return tuple(replace(s, profile=dict(s.profile) | {k: sp.Integer(k == s.name) for k in others}) for s in self.sites)

    def seen(self, cell: Cell) -> Cell:
        """The cell as its learners see it.

        Raises:
            Underivable: means or variances of groups, which features mix.
        """
        if not self.mixed and (cell.mean or set(cell.variance.values()) != {sp.S.One}):
            raise Underivable(f"group.{cell.group}: means and variances of groups have no theory on this law of inputs yet")
        total = None if cell.of is None else self.moments[cell.of] * cell.variance[FIELD]
        none = dict.fromkeys(self.bases[1:], sp.S.Zero)
        return replace(cell, total=total, variance=dict(cell.variance) | none, level=dict(cell.level) | none)


def spectral(
    spec: Any, learners: list[str], slices: set[str], latents: tuple[str, ...], names: Mapping[str, sp.Expr]
) -> Spectrum | None:
    """The coordinates of these learners on these slices; None for plain inputs.

    Raises:
        Underivable: what is not built, in a sentence.
    """
    networks = {name: spec.learners[name].network for name in dict.fromkeys(learners)}
    laws = {spec.slices[part].law for part in slices}
    featured = {name: n for name, n in networks.items() if n.kind != "linear"}
    special = [law for law in laws if is_spectral(law)]
    if not featured and not special:
        return None
    if len(laws) > 1:
        raise Underivable("data.law: slices of different laws have no joint theory yet")
    if spec.blocks:
        raise Underivable("block: blocks of coordinates together with features or a covariance have no theory yet")
    moments = {t: second_moment(spec.latents[t].prior.bind(names)) for t in latents}
    if any(set(spec.latents[t].overlap or ()) & set(latents) for t in latents):
        raise Underivable("latent.overlap: correlated latents have no theory on features or a covariance yet")
    (law,) = laws
    normal = all(isinstance(spec.latents[t].prior, Gaussian) for t in latents)
    if special and law.kind != "hidden_manifold":
        if featured:
            raise Underivable(f"network: features of a '{law.kind}' law have no theory yet (built: of gaussian iid hidden_manifold)")
        strength = power(law.bind(names).spectrum())
        sites = tuple(replace(site, gaussian=normal) for site in eigenspaces(law, names, moments, _centers(spec)))
        alive = dict.fromkeys(networks, tuple(s.name for s in sites))
        told = compressed(law.bind(names).spectrum(), bool(_centers(spec)))
        remarks = (Assumption("quadrature of the spectrum", told.sentence),) if told.before else ()
        return Spectrum(sites, alive, {t: m * strength for t, m in moments.items()}, mixed=True, remarks=remarks)
    _refuse_pairs(spec, featured)
    return _features(spec, law, networks, moments, normal, names)


INPUTS, MANIFOLD = "inputs", "manifold"


def _features(
    spec: Any, law: Any, networks: Mapping[str, Any], moments: Mapping[str, sp.Expr], normal: bool, names: Mapping[str, sp.Expr]
) -> Spectrum:
    """Features of learners over the inputs, which may be features of a manifold's coordinates."""
    gram = {(t, t): m for t, m in moments.items()}
    kernels: dict[str, tuple[Hermite, Hermite]] = {}  # site -> (symbols, numbers)
    below: tuple[str, ...] = (INPUTS,)
    variance: sp.Expr = sp.S.One
    if law is not None and law.kind == "hidden_manifold":
        count = number(law.latent_ratio, names)
        kernels[INPUTS] = symbols_of("_inputs"), hermite(law.activation)
        symbols, known = kernels[INPUTS]
        sites = [features(INPUTS, symbols, sp.S.One, MANIFOLD), Site(MANIFOLD, count, {FIELD: 1 / count}, gram, normal)]
        below, variance = (INPUTS, MANIFOLD), known.linear**2 + known.rest
    else:
        sites = [Site(INPUTS, sp.S.One, {FIELD: sp.S.One}, gram, normal)]
    alive = dict.fromkeys(networks, below)
    means: set[str] = set()
    counts: dict[str, sp.Expr] = {}
    for name, network in networks.items():
        if network.kind == "linear":
            continue
        if network.kind == "head_of":
            source = spec.learners[network.learner].network
            counts[name] = _width(source, network, name, names)
            sites = [*measured.sites(name, counts[name], moments), *sites]
            alive[name] = tuple(site.name for site in sites[: measured.NODES + measured.LABEL_NODES])
            means |= set() if is_odd(source.activation) else {name}
            continue
        if INPUTS in kernels and kernels[INPUTS][1].constant != 0:
            raise Underivable("data.law.activation: features of inputs with a mean have no theory yet")
        if not hasattr(network, "activation"):
            raise Underivable(f"network '{network.kind}': its features have no theory yet (built: random_features head_of)")
        site = f"features of {name}"
        kernels[site] = symbols_of(f"_{name}" if len(networks) > 1 else ""), hermite(network.activation, variance)
        sites.insert(0, features(site, kernels[site][0], number(network.ratio, names), INPUTS))
        alive[name] = (site, *below)
    own = {name: kernels[where[0]] for name, where in alive.items() if where[0] in kernels}
    return Spectrum(
        tuple(sites),
        alive,
        moments,
        frozenset({name for name, (_, known) in own.items() if known.constant != 0} | means),
        degrees={name: s.slope - s.rest for name, (s, _) in own.items() if len(below) == 1},
        numbers={symbol: value for s, known in kernels.values() for symbol, value in moments_of(s, known).items()},
        counts=counts,
        measured=tuple(c for name, network in networks.items() if network.kind == "head_of" for c in measured.controls(name)),
    )


def _width(source: Any, network: Any, name: str, names: Mapping[str, sp.Expr]) -> sp.Expr:
    """Units per d of the layer that a head reads.

    Raises:
        Underivable: a source that is no network with layers, or a layer that it does not have.
    """
    layer = number(network.layer, names)
    if source.kind != "mlp":
        raise Underivable(f"learner.{name}.network: the features of a '{source.kind}' network have no theory yet (built: mlp)")
    if not layer.is_Integer or layer > len(source.widths):
        raise Underivable(f"learner.{name}.network.layer: '{network.learner}' has layers 1 to {len(source.widths)}, found {network.layer}")
    return number(source.widths[int(layer) - 1], names)


def _refuse_pairs(spec: Any, featured: Mapping[str, Any]) -> None:
    """Springs act between weights on the same coordinates.

    Raises:
        Underivable: a learner on features of its own that is joined to another.
    """
    for stage in spec.stages:
        for name in stage.learners:
            for term in during(spec.learners[name], stage, "couple") or ():
                if term.to in spec.learners and term.to != name and {name, term.to} & set(featured):
                    raise Underivable(f"learner.{name}.couple: '{name}' and '{term.to}' have features of their own and cannot be coupled")


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
