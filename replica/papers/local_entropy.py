"""Local entropy as a measure for sampling solutions in constraint satisfaction problems: theory, and the search that it guides."""

from math import log

from replica.papers.ran import Ran
from replica.papers.record import At, Claim, Curve, Difference, Dots, Figure, Origin, Paper, Ratio, Relation, Trial, Unchecked

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


LOAD, SIZE, SEEDS = 0.6, 501, 4
EASIER, SIZES, MANY = 0.4, (51, 101, 201, 301), 6
FOUND = 0.01
"""Of local entropies at the first of these sizes, which vary by 0.006 from system to system and leave out terms of order log(d)/d."""
BY_ONE = {"share": 0}
SLOWER = {"sweeps": 100, "restarts": 9}  # every restart has twice the sweeps
FORMULAS, CLAUSES = 1000, 4.0
SATISFIED = {"edmc": {"sweeps": 20, "steps": 40, "restarts": 9}, "annealing": {"sweeps": 2000, "restarts": 0}}
FEWER, DENSITIES = 300, (3.6, 3.8, 4.0, 4.2)


def _share(algorithm: str, alpha: float) -> Ran:
    return Ran("ksat", "success", algorithm, FEWER, SEEDS, {"alpha": alpha}, {**SATISFIED[algorithm], "restarts": 0})


def _satisfied(algorithm: str, quantity: str = "success", around: float | None = None) -> Ran:
    return Ran("ksat", quantity, algorithm, FORMULAS, SEEDS, {"alpha": CLAUSES}, SATISFIED[algorithm], around)


def _steps(algorithm: str, size: int) -> Ran:
    return Ran("storage", "steps", algorithm, size, MANY, {"alpha": EASIER}, BY_ONE if algorithm == "edmc" else SLOWER)


def _grown(algorithm: str) -> Ratio:
    return Ratio(_steps(algorithm, 301), _steps(algorithm, 101))


PAPER = Paper(
    name="local_entropy",
    title="Local entropy as a measure for sampling solutions in constraint satisfaction problems",
    authors="C. Baldassi, A. Ingrosso, C. Lucibello, L. Saglietti, R. Zecchina",
    year=2015,
    arxiv="1511.05634",
    story="""The logarithm of the number of solutions at a given distance from a reference is its local entropy.  Around a
    solution drawn at random it turns negative at small distance: typical solutions are isolated.  Around references chosen for their
    local entropy it does not, and an algorithm that maximizes local entropy ends in those.  The theory is a replica tree; here: a
    probe around a typical reference.  The search, entropy-driven Monte Carlo, is run beside simulated annealing.""",
    specs={"franz_parisi": FRANZ_PARISI, "storage": "binary_storage", "ksat": "random_ksat"},
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
        "time": Figure(
            f"alpha = {EASIER}: time to a solution",
            "weights",
            "steps",
            tuple(
                Dots(label, tuple((size, _steps(algorithm, size)) for size in SIZES), joined=True)
                for label, algorithm in (("edmc: moves of the reference", "edmc"), ("annealing: sweeps of the last run", "annealing"))
            ),
            log="xy",
        ),
        "formulas": Figure(
            f"random 3-SAT, {FEWER} weights: one attempt",
            "clauses per weight",
            "share of formulas solved",
            tuple(Dots(label, tuple((alpha, _share(label, alpha)) for alpha in DENSITIES), joined=True) for label in SATISFIED),
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
        Claim(
            f"entropy-driven Monte Carlo solves most perceptrons of {SIZE} weights at alpha = {LOAD}",
            Ran("storage", "success", "edmc", SIZE, SEEDS, {"alpha": LOAD}),
            0.5,
            0.0,
            Origin.PAPER,
            Relation.ABOVE,
        ),
        Claim(
            "3000 sweeps of annealing solve less than half of them",
            Ran("storage", "success", "annealing", SIZE, SEEDS, {"alpha": LOAD}, {"sweeps": 3000}),
            0.5,
            0.0,
            Origin.PAPER,
            Relation.BELOW,
        ),
        Claim(
            "around what it finds solutions are denser than around a typical one, at distance 0.05",
            Difference(Ran("storage", "local_entropy", "edmc", SIZE, SEEDS, {"alpha": LOAD}, around=0.05), _around(0.05, LOAD)),
            FOUND,
            0.0,
            Origin.PAPER,
            Relation.ABOVE,
        ),
        Claim(
            f"it solves most random 3-SAT formulas of {FORMULAS} weights with {CLAUSES:g} clauses each",
            _satisfied("edmc"),
            0.5,
            0.0,
            Origin.PAPER,
            Relation.ABOVE,
        ),
        Claim("2000 sweeps of annealing solve less than half of them", _satisfied("annealing"), 0.5, 0.0, Origin.PAPER, Relation.BELOW),
        Claim(
            "what it finds there is not isolated: solutions at distance 0.02, by more than finite size leaves open",
            _satisfied("edmc", "local_entropy", 0.02),
            log(FORMULAS) / FORMULAS,
            0.0,
            Origin.PAPER,
            Relation.ABOVE,
        ),
        Claim(
            "from 101 to 301 weights sweeps of annealing grow by a larger factor than moves of the search, of one weight each",
            Difference(_grown("annealing"), _grown("edmc")),
            0.0,
            0.0,
            Origin.PAPER,
            Relation.ABOVE,
        ),
    ),
    unchecked=(
        Unchecked(
            "around solutions chosen for their local entropy it stays positive",
            "where the center solves the problem too the equations need finer inner integrals than a step takes, at distance 0.25 already",
        ),
        Unchecked(
            "random K-SAT: local entropy of typical solutions", "a sparse factor graph needs population dynamics, which is not built"
        ),
        Unchecked(
            "the search is polynomial where simulated annealing is exponential",
            "up to some hundreds of weights powers and exponentials fit the times of annealing equally well",
        ),
    ),
    trials=(Trial("franz_parisi", {"alpha": 0.5, "distance": 0.25}, (8, 12, 16), 64, (8, 12), 32, "enumeration"),),
)
