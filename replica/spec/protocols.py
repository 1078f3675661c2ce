"""What each way of learning takes and what it refuses: nothing is accepted and ignored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from replica.spec.causality import Places, during
from replica.spec.document import Tables
from replica.spec.errors import Path, SpecError
from replica.spec.expressions import mentioned
from replica.spec.learners import Learner, Stage
from replica.spec.roles import DISCRETE, NO_SAMPLES, TIMED, WHOLE, corrupted, kind, own_energy, replicas, seen, slices_of

_TARGET_LAWS = {"root": ("tree",), "masked": ("tree",), "next": ("tokens", "layered_paths")}
_NEED_CORRUPTION = ("noise",)


def check_protocols(written: Tables, full: Tables, places: Places) -> None:
    """Refuse keys that a protocol, law or ansatz would not read, and keys that it lacks."""
    for stage in full.stages:
        for name in stage.learners or ():
            try:
                _check_learner(full.learners[name], stage, full)
            except SpecError as error:
                raise error.under(*places[name]) from None
    for number, stage in enumerate(full.stages):
        if stage.time is not None and not any(kind(during(full.learners[n], stage, "protocol")) in TIMED for n in stage.learners or ()):
            raise SpecError(f"'time' is for flows and one-pass learning ({' '.join(sorted(TIMED))}), and no learner of this stage is one",
                            ("stage", number, "time"))
    if written.ansatz is not None and not replicas(full.learners, full.slices):
        raise SpecError("no learner's theory is an average over replicas (bayes gibbs erm amp on vectors); take [ansatz] out", ("ansatz",))
    for name in full.slices:
        _check_size(name, written, full)
        _check_cells(name, written, full)


def _check_learner(learner: Learner, stage: Stage, full: Tables) -> None:
    protocol: Any = during(learner, stage, "protocol")
    if protocol is None:
        raise SpecError("needs 'protocol' (how it learns)")
    loss, regularizer = during(learner, stage, "loss"), during(learner, stage, "regularizer")
    who = f"a learner with protocol '{protocol.kind}'"
    _check_simulated(learner, protocol)
    if not protocol.energy:
        for word, value in (("loss", loss), ("regularizer", regularizer), ("couple", during(learner, stage, "couple"))):
            if value is not None:
                raise SpecError(f"{who} takes no {word}{', it uses the true law' if protocol.kind == 'bayes' else ''}", (word,))
    cells = [cell for part in seen(learner, full.slices) if kind(part.law) not in DISCRETE | NO_SAMPLES for cell in part.groups.values()]
    if protocol.kind == "bayes" and learner.target == "label" and any(cell.label.random for cell in cells):
        raise SpecError(f"{who} needs labels with a law; write [teacher], or a 'label' in every group")
    if protocol.kind == "bayes" and learner.prior is not None:
        raise SpecError(f"{who} takes no prior, it uses the true one; write believes = {{ LATENT = prior }} for another", ("prior",))
    message_passing = protocol.kind == "amp" and loss is None
    if message_passing and (regularizer is not None or learner.prior is not None):
        word = "prior" if regularizer is None else "regularizer"
        raise SpecError(f"{who} and no loss is Bayes-optimal and takes no {word}", (word,))
    if learner.believes is not None and protocol.kind != "bayes" and not message_passing:
        raise SpecError(f"{who} has no beliefs; 'believes' is for bayes learners", ("believes",))
    if own_energy(learner, full.slices):
        if kind(loss) not in ("", "zero"):
            raise SpecError(f"the law '{kind(seen(learner, full.slices)[0].law)}' is the energy itself, so it takes no loss", ("loss",))
    elif protocol.energy and loss is None and not message_passing:
        raise SpecError(f"{who} needs a 'loss'")
    if protocol.kind == "gibbs" and learner.prior is None and kind(regularizer) in ("", "zero"):
        raise SpecError(f"{who} needs a 'prior' (its reference measure) or a 'regularizer'")
    if learner.copies not in (None, 1) and protocol.kind not in ("gibbs", "erm"):
        raise SpecError(f"{who} has no real replicas; 'copies' is for gibbs and erm", ("copies",))
    if learner.self_overlap is not None and protocol.kind not in ("gibbs", "erm"):
        raise SpecError(f"{who} imposes no norm; 'self_overlap' is for gibbs and erm", ("self_overlap",))
    _check_target(learner, full)


def _check_simulated(learner: Learner, protocol: Any) -> None:
    for word, ingredient in (("protocol", protocol), ("network", learner.network)):
        if getattr(ingredient, "simulated_only", False) and learner.theory is None:
            raise SpecError(f"{word} '{kind(ingredient)}' has no theory and is only simulated; write theory = \"none\"", (word,))
    if learner.reason is not None and learner.theory is None:
        raise SpecError('says why a learner has no theory; write theory = "none" beside it', ("reason",))


def _check_target(learner: Learner, full: Tables) -> None:
    parts = seen(learner, full.slices)
    laws = _TARGET_LAWS.get(str(learner.target))
    if laws is not None and any(kind(part.law) not in laws for part in parts):
        raise SpecError(f"target '{learner.target}' needs the law {' or '.join(laws)}, found '{kind(parts[0].law)}'", ("target",))
    if learner.target in _NEED_CORRUPTION and not any(corrupted(part) for part in parts):
        raise SpecError(f"target '{learner.target}' needs a 'corruption' in [data]", ("target",))


def _check_cells(name: str, written: Tables, full: Tables) -> None:
    """Labels have a field where their channel reads one, and variances cover every block."""
    part = full.slices[name]
    for group, cell in part.groups.items():
        label = cell.label
        blind = label.channel is None or label.channel.form == "map" and "z" not in mentioned(label.channel.text)
        if label.of is None and not blind and kind(part.law) not in NO_SAMPLES:
            raise SpecError(f"the channel '{kind(label.channel)}' reads a field; say of = LATENT", _written(written, name, group, "label"))
        if isinstance(cell.variance, Mapping) and set(cell.variance) != set(full.blocks):
            wanted = " ".join(full.blocks) or "none"
            raise SpecError(f"gives {' '.join(cell.variance)}; every block needs one: {wanted}", _written(written, name, group, "variance"))


def _written(spec: Tables, part: str, group: str, word: str) -> Path:
    """Where the key of a cell was written: in the slice, in the group, or in [data]."""
    own = spec.slices.get(part)
    places: list[tuple[Path, Any]] = [
        (("slice", part, "groups", group), ((own.groups if own else None) or {}).get(group)), (("slice", part), own),
        (("group", group), spec.groups.get(group)),
    ]
    found = (path for path, table in places if table is not None and getattr(table, word) is not None)
    return (*next(found, ("data",)), word)


def _check_size(name: str, written: Tables, full: Tables) -> None:
    """A slice has a size, unless its law has no samples or every stage on it lasts a given time."""
    part = full.slices[name]
    path = ("slice", name) if name in written.slices else ("data",)
    if part.alpha is not None or part.samples is not None:
        if kind(part.law) in NO_SAMPLES:
            raise SpecError(f"the law '{kind(part.law)}' is one object without samples; take alpha and samples out", path)
        return
    stages = [stage for stage in full.stages if name in slices_of(tuple(stage.on or ()), full.slices)]
    timed = bool(stages) and all(stage.time is not None for stage in stages)
    if kind(part.law) not in NO_SAMPLES | WHOLE and not timed:
        raise SpecError("has neither 'alpha' nor 'samples'; declare the control alpha under [controls], or write alpha = ...", path)
