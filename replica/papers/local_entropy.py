"""Local entropy as a measure for sampling solutions in constraint satisfaction problems: theory side, binary perceptron."""

from replica.papers.record import At, Claim, Curve, Difference, Figure, Origin, Paper, Relation, Trial, Unchecked

FRANZ_PARISI = """
format = 1
name = "local entropy around a typical solution of the binary perceptron"

[student]
protocol = { kind = "gibbs", beta = inf }
prior = "binary"
loss = { kind = "theta", margin = "kappa" }
ensemble = { kind = "franz_parisi", overlap = "1 - 2*distance" }

[controls]
alpha    = { value = 0.5, domain = "(0, inf)", meaning = "patterns per weight" }
kappa    = { value = 0.0, domain = "(-inf, inf)", meaning = "margin" }
distance = { value = 0.25, domain = "(0, 0.5)", meaning = "Hamming distance per weight" }

[run]
sizes = [8, 12, 16]
seeds = 64
"""
NEAR = {"distance": 0.25}
INDEPENDENT = "hand-written integrals, tests/reference/test_papers.py"


def _around(distance: float, alpha: float = 0.5) -> At:
    return At("franz_parisi", "local_entropy", {"alpha": alpha, "distance": distance}, NEAR)


PAPER = Paper(
    name="local_entropy",
    title="Local entropy as a measure for sampling solutions in constraint satisfaction problems",
    authors="C. Baldassi, A. Ingrosso, C. Lucibello, L. Saglietti, R. Zecchina",
    year=2015,
    arxiv="1511.05634",
    story="""The logarithm of the number of solutions at a given distance from a reference is its local entropy.  Around a
    solution drawn at random it turns negative at small distance: typical solutions are isolated.  Around references chosen for their
    local entropy it does not, and an algorithm that maximizes local entropy ends in those.  The theory is a replica tree; here: a
    probe around a typical reference.""",
    specs={"franz_parisi": FRANZ_PARISI},
    figures={
        "typical": Figure(
            "local entropy around typical solutions",
            "Hamming distance",
            "local entropy per weight",
            tuple(
                Curve(f"alpha = {alpha}", "franz_parisi", "local_entropy", "distance", "log:0.25:0.025:12", {"alpha": alpha})
                for alpha in (0.5, 0.6, 0.7)
            ),
        ),
    },
    claims=(
        Claim("local entropy at overlap 0.5", _around(0.25), 0.2947130050229, 1e-11, Origin.INDEPENDENT, source=INDEPENDENT),
        Claim("local entropy at overlap 0.7", _around(0.15), 0.2232014770809, 1e-11, Origin.INDEPENDENT, source=INDEPENDENT),
        Claim("local entropy at overlap 0.9", _around(0.05), 0.0865261689961, 1e-11, Origin.INDEPENDENT, source=INDEPENDENT),
        Claim(
            "a probe at nearly the overlap of two solutions, 0.34, counts nearly all of them",
            Difference(At("franz_parisi", "local_entropy", {"distance": 0.33}), At("franz_parisi", "entropy")),
            0.0,
            5e-4,
            Origin.IDENTITY,
        ),
        Claim(
            "typical solutions are isolated: none at distance 0.025, alpha = 0.7",
            _around(0.025, 0.7),
            0.0,
            0.0,
            Origin.PAPER,
            Relation.BELOW,
        ),
    ),
    unchecked=(
        Unchecked(
            "around solutions chosen for their local entropy it stays positive",
            "where the center solves the problem too the equations need finer inner integrals than a step takes, at distance 0.25 already",
        ),
        Unchecked(
            "random K-SAT: local entropy and success of the search", "a sparse factor graph needs population dynamics, which is not built"
        ),
        Unchecked("the search is polynomial where simulated annealing is exponential", "scaling of algorithms, no theory"),
    ),
    trials=(Trial("franz_parisi", {"alpha": 0.5, "distance": 0.25}, (8, 12, 16), 64, (8, 12), 32, "enumeration"),),
)
