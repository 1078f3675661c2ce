"""Unreasonable effectiveness of learning neural networks: from accessible states and robust ensembles; theory and searches."""

import math

from replica.papers.ran import Ran
from replica.papers.record import At, Claim, Curve, Difference, Dots, Figure, Origin, Paper, Relation, Unchecked

HARD = """
format = 1
name = "robust ensemble, replicas at a given overlap with their center"

[student]
protocol = { kind = "gibbs", beta = inf }
prior = "binary"
loss = { kind = "theta", margin = 0 }
ensemble = { kind = "robust", y = "y_real", overlap = "S", constrained = false }

[controls]
alpha  = { value = 0.4, domain = "(0, inf)", meaning = "patterns per weight" }
S      = { value = 0.5, domain = "(0, 1)", meaning = "overlap with the center" }
y_real = { value = 3, domain = "[1, inf]", meaning = "real replicas" }
"""
SOFT = (
    HARD.replace("replicas at a given overlap with their center", "soft coupling")
    .replace('overlap = "S"', 'coupling = "gamma"')
    .replace(
        'S      = { value = 0.5, domain = "(0, 1)", meaning = "overlap with the center" }',
        'gamma  = { value = 0.5, domain = "[0, inf)", meaning = "log-weight of the overlap with the center" }',
    )
)
COMMITTEE = """
format = 1
name = "committee of five units with weights of signs"

[student]
protocol = { kind = "gibbs", beta = inf }
prior    = "binary"
loss     = "theta"
network  = { kind = "committee", units = 5, activation = "sign" }
theory   = "none"
reason   = "the replica tree of a committee of learners is not built"

[data]
law   = "iid"
alpha = "5*alpha"                                      # alpha is patterns per weight

[controls]
alpha = { value = 0.3, domain = "(0, inf)", meaning = "patterns per weight" }
"""
NEAR = {"S": 0.3}
SIZE, SEEDS, MOST = 301, 4, 0.5
COPIES = 7
SEARCHES = {
    "annealing": ("annealing", {"sweeps": 400 * COPIES}),
    "replicated annealing": ("replicated_annealing", {"y": COPIES, "sweeps": 400}),
    "gradient descent": ("replicated_sgd", {"y": 1, "steps": 300 * COPIES}),
    "replicated descent": ("replicated_sgd", {"y": COPIES, "steps": 300}),
    "focusing_bp": ("focusing_bp", {"restarts": 0}),
}
"""What is run at equal cost: one copy has as many sweeps as all copies together."""


def _share(search: str, alpha: float, spec: str = "storage", size: int = SIZE) -> Ran:
    algorithm, options = SEARCHES[search]
    return Ran(spec, "success", algorithm, size, SEEDS, {"alpha": alpha}, options)


def _solves(search: str, alpha: float, relation: Relation, spec: str = "storage", size: int = SIZE) -> Claim:
    verb = "solves most" if relation is Relation.ABOVE else "solves less than half of"
    what = f"{verb} {'committees of five units' if spec == 'committee' else 'perceptrons'} of {size} inputs at alpha = {alpha}"
    return Claim(f"{search} {what}", _share(search, alpha, spec, size), MOST, 0.0, Origin.PAPER, relation)


PAPER = Paper(
    name="robust_ensemble",
    title="Unreasonable effectiveness of learning neural networks: From accessible states and robust ensembles "
    "to basic algorithmic schemes",
    authors="C. Baldassi, C. Borgs, J. T. Chayes, A. Ingrosso, C. Lucibello, L. Saglietti, R. Zecchina",
    year=2016,
    arxiv="1605.06444",
    story="""Replicas of a learner are gathered around a center.  The measure of the center favors dense regions of solutions, the more so
    the more replicas there are, and algorithms built on it (replicated annealing, replicated gradient descent, focusing belief
    propagation) find solutions that are robust.  Here: the binary perceptron, replicas at a given overlap with their center, and what
    the algorithms solve that their plain forms do not at the same cost.""",
    specs={"hard": HARD, "soft": SOFT, "storage": "binary_storage", "committee": COMMITTEE},
    figures={
        "local_entropy": Figure(
            "alpha = 0.4: local entropy around the centers",
            "overlap S with the center",
            "local entropy per weight",
            tuple(Curve(f"y = {y}", "hard", "local_entropy", "S", "0.3:0.94:17", {"y_real": y}) for y in (2, 3, 5)),
        ),
        "complexity": Figure(
            "alpha = 0.4: how many centers there are",
            "overlap S with the center",
            "complexity per weight",
            tuple(Curve(f"y = {y}", "hard", "complexity", "S", "0.3:0.94:17", {"y_real": y}) for y in (2, 3, 5)),
        ),
        "solved": Figure(
            f"what is solved at equal cost, {SIZE} weights",
            "alpha",
            "share of systems solved",
            tuple(Dots(search, tuple((alpha, _share(search, alpha)) for alpha in (0.3, 0.45, 0.6)), joined=True) for search in SEARCHES),
        ),
    },
    claims=(
        Claim(
            "free entropy of 3 replicas at overlap 0.9 with their center, alpha = 0.4 (counting states, not averaging over them)",
            At("hard", "free_entropy", {"S": 0.9}, NEAR),
            0.8124637672807 - 4 * math.log(2),
            1e-11,
            Origin.INDEPENDENT,
            source="hand-written integrals, 13 digits",
        ),
        Claim(
            "more replicas find denser regions: local entropy at overlap 0.9, y = 5 against y = 2",
            Difference(
                At("hard", "local_entropy", {"S": 0.9, "y_real": 5}, NEAR), At("hard", "local_entropy", {"S": 0.9, "y_real": 2}, NEAR)
            ),
            0.0,
            0.0,
            Origin.PAPER,
            Relation.ABOVE,
        ),
        Claim(
            "centers with 5 solutions each around them exist close by: complexity at overlap 0.9",
            At("hard", "complexity", {"S": 0.9, "y_real": 5}, NEAR),
            0.0,
            0.0,
            Origin.PAPER,
            Relation.ABOVE,
        ),
        Claim(
            "a soft coupling brings the same ensemble about: the force of overlap 0.9 brings it about, alpha = 0.5",
            At("soft", "q1[centre,solution]", {"alpha": 0.5, "gamma": 0.9961606744763432}),
            0.9,
            1e-9,
            Origin.IDENTITY,
        ),
        _solves("focusing_bp", 0.6, Relation.ABOVE),
        _solves("replicated descent", 0.6, Relation.ABOVE),
        _solves("gradient descent", 0.6, Relation.BELOW),
        _solves("replicated annealing", 0.45, Relation.ABOVE),
        _solves("annealing", 0.45, Relation.BELOW),
        _solves("replicated descent", 0.4, Relation.ABOVE, "committee", 161),
        _solves("gradient descent", 0.4, Relation.BELOW, "committee", 161),
    ),
    unchecked=(
        Unchecked(
            "a soft coupling beyond 1.05 at alpha = 0.5",
            "the equations need finer inner integrals than a step takes, and replicas coincide in the end",
        ),
        Unchecked("local entropy of committee machines", "the replica tree of a committee of learners with local energies is not built"),
    ),
)
