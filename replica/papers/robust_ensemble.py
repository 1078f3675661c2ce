"""Unreasonable effectiveness of learning neural networks: from accessible states and robust ensembles (theory side)."""

import math

from replica.papers.record import At, Claim, Curve, Difference, Figure, Origin, Paper, Relation, Unchecked

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
NEAR = {"S": 0.3}


PAPER = Paper(
    name="robust_ensemble",
    title="Unreasonable effectiveness of learning neural networks: From accessible states and robust ensembles "
    "to basic algorithmic schemes",
    authors="C. Baldassi, C. Borgs, J. T. Chayes, A. Ingrosso, C. Lucibello, L. Saglietti, R. Zecchina",
    year=2016,
    arxiv="1605.06444",
    story="""Replicas of a learner are gathered around a center.  The measure of the center favors dense regions of solutions, the more so
    the more replicas there are, and algorithms built on it (replicated annealing, replicated gradient descent, focusing belief
    propagation) find solutions that are robust.  Here: the binary perceptron, replicas at a given overlap with their center.""",
    specs={"hard": HARD, "soft": SOFT},
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
    ),
    unchecked=(
        Unchecked(
            "a soft coupling beyond 1.05 at alpha = 0.5",
            "the equations need finer inner integrals than a step takes, and replicas coincide in the end",
        ),
        Unchecked("committee machines", "the replica tree of a committee of learners with local energies is not built"),
        Unchecked("replicated annealing and gradient descent, focusing belief propagation reach high loads", "algorithms, no theory"),
    ),
)
