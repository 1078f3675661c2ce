"""Subdominant dense clusters allow for simple learning and high computational performance in neural networks with discrete synapses."""

from replica.papers.ran import Ran
from replica.papers.record import (
    At,
    Claim,
    Crossing,
    Curve,
    Difference,
    Dots,
    Event,
    Extreme,
    Figure,
    Origin,
    Paper,
    Relation,
    Trial,
    Unchecked,
)

STORAGE = "binary_storage"
TYPICAL = """
format = 1
name = "solutions around a typical solution of the binary perceptron"

[student]
protocol = { kind = "gibbs", beta = inf }
prior = "binary"
loss = { kind = "theta", margin = 0 }
ensemble = { kind = "franz_parisi", overlap = "1 - 2*distance" }

[controls]
alpha    = { value = 0.7, domain = "(0, inf)", meaning = "patterns per weight" }
distance = { value = 0.25, domain = "(0, 0.5)", meaning = "Hamming distance per weight" }
"""
DENSE = """
format = 1
name = "dense clusters of the binary perceptron, y real replicas around a center"

[student]
protocol = { kind = "gibbs", beta = inf }
prior = "binary"
loss = { kind = "theta", margin = 0 }
ensemble = { kind = "robust", y = "y_real", overlap = "1 - 2*distance", constrained = false }

[controls]
alpha    = { value = 0.7, domain = "(0, inf)", meaning = "patterns per weight" }
distance = { value = 0.25, domain = "(0, 0.5)", meaning = "Hamming distance per weight" }
y_real   = { value = inf, domain = "[1, inf]", meaning = "real replicas around the center" }
"""
REPLICAS = DENSE.replace("value = inf", "value = 3")
CENTERS = DENSE.replace('{ value = inf, domain = "[1, inf]"', '{ solve = "complexity = 0", value = 20, domain = "[1, inf)"')
MUTUAL = """
format = 1
name = "real replicas of the binary perceptron at a mutual overlap, without a center"

[student]
protocol = { kind = "gibbs", beta = inf }
prior = "binary"
loss = { kind = "theta", margin = 0 }
copies = "y_real"
couple = { to = "student", overlap = "q1" }

[controls]
alpha  = { value = 0.7, domain = "(0, inf)", meaning = "patterns per weight" }
q1     = { value = 0.8, domain = "(0, 1)", meaning = "overlap of two replicas" }
y_real = { value = inf, domain = "[1, inf]", meaning = "real replicas" }
"""
CONJUGATE = "q1[centre,solution]_hat"
NEAR = {"distance": 0.25}
EASY = {"alpha": 0.5}
LOAD, SIZE, SEEDS, DISTANCE = 0.6, 501, 4, 0.05
FINITE = 0.01
"""Of local entropies at that size: they vary by 0.006 from system to system, and leave out terms of order log(d)/d."""
PSI = {(0.4, 0.6): 0.2971680392785312, (0.6, 0.8): 0.1346041217857421, (0.7, 0.7): 0.10371422668215807, (0.7, 0.9): 0.06453991922555113}

def _around(algorithm: str, distance: float = DISTANCE) -> Ran:
    return Ran("storage", "local_entropy", algorithm, SIZE, SEEDS, {"alpha": LOAD}, around=distance)


def _near(spec: str) -> At:
    return At(spec, "local_entropy", {"alpha": LOAD, "distance": DISTANCE}, NEAR if spec == "typical" else {})


PAPER = Paper(
    name="subdominant_dense_clusters",
    title="Subdominant dense clusters allow for simple learning and high computational performance in neural networks "
    "with discrete synapses",
    authors="C. Baldassi, A. Ingrosso, C. Lucibello, L. Saglietti, R. Zecchina",
    year=2015,
    arxiv="1509.05753",
    story="""Solutions of the binary perceptron are isolated, if they are drawn at random: around one of them there is none at small
    distance.  Yet simple algorithms learn.  A large-deviation analysis, y real replicas at a given distance from a center, finds rare
    regions where solutions are as dense as they can be; that is where the algorithms end.  The regions are there up to a load close to, and
    below, the capacity.""",
    specs={
        "storage": STORAGE,
        "typical": TYPICAL,
        "dense": DENSE,
        "replicas": REPLICAS,
        "centers": CENTERS,
        "mutual": MUTUAL,
        "teacher": "bayes_binary",
    },
    figures={
        "local_entropy": Figure(
            "alpha = 0.7: around typical solutions and around centers of dense clusters",
            "Hamming distance",
            "local entropy per weight",
            (
                Curve("typical solution", "typical", "local_entropy", "distance", "log:0.25:0.025:12"),
                Curve("y = 5", "replicas", "local_entropy", "distance", "log:0.25:0.025:12", {"y_real": 5}),
                Curve("y = inf", "dense", "local_entropy", "distance", "log:0.1:0.01:12"),
            ),
        ),
        "loads": Figure(
            "y = inf: local entropy at several loads",
            "Hamming distance",
            "local entropy per weight",
            tuple(
                Curve(f"alpha = {alpha}", "dense", "local_entropy", "distance", "log:0.1:0.01:12", {"alpha": alpha})
                for alpha in (0.4, 0.6, 0.7)
            ),
        ),
        "found": Figure(
            f"alpha = {LOAD}: around what algorithms find, {SIZE} weights",
            "Hamming distance",
            "local entropy per weight",
            (
                Curve("typical solution", "typical", "local_entropy", "distance", "log:0.25:0.025:12", {"alpha": LOAD}),
                Curve("y = inf", "dense", "local_entropy", "distance", "log:0.2:0.01:12", {"alpha": LOAD}),
                *(
                    Dots(name, tuple((distance, _around(name, distance)) for distance in (0.02, 0.05, 0.1, 0.2)))
                    for name in ("sbpi", "reinforced_bp", "focusing_bp")
                ),
            ),
        ),
    },
    claims=(
        Claim(
            "capacity: the entropy of all solutions vanishes",
            Crossing("storage", "entropy", "alpha", (0.7, 0.9)),
            0.8330785997395792337,
            1e-12,
            Origin.INDEPENDENT,
            source="30-digit computation; 0.833 in Krauth & Mezard, J. Phys. (France) 50 (1989) 3057",
        ),
        Claim(
            "typical solutions are isolated: none at distance 0.025, alpha = 0.7",
            At("typical", "local_entropy", {"alpha": 0.7, "distance": 0.025}, NEAR),
            0.0,
            0.0,
            Origin.PAPER,
            Relation.BELOW,
        ),
        Claim(
            "around the best centers solutions are dense at the same distance",
            At("dense", "local_entropy", {"alpha": 0.7, "distance": 0.025}, EASY),
            0.0,
            0.0,
            Origin.PAPER,
            Relation.ABOVE,
        ),
        *(
            Claim(
                f"y = inf: local entropy of replicas at mutual overlap {q1}, alpha = {alpha}",
                At("mutual", "local_entropy", {"alpha": alpha, "q1": q1}, EASY),
                expected,
                1e-9,
                Origin.INDEPENDENT,
            )
            for (alpha, q1), expected in PSI.items()
        ),
        Claim(
            "y = inf: the load at which the local entropy loses its monotonicity in the distance",
            Extreme(Crossing("dense", CONJUGATE, "alpha", (0.7, 0.79), reach=EASY), "distance", (0.012, 0.035)),
            0.7553020235992235,
            2e-6,
            Origin.INDEPENDENT,
        ),
        Claim(
            "y = inf: the load at which the local entropy of replicas reaches zero at some mutual overlap",
            Extreme(Crossing("mutual", "local_entropy", "alpha", (0.78, 0.82), reach=EASY), "q1", (0.78, 0.9)),
            0.8142184753568525,
            1e-8,
            Origin.INDEPENDENT,
        ),
        Claim(
            "the largest y that leaves centers, solved for, is where their complexity crosses zero along y",
            Difference(
                At("centers", "y_real", {"alpha": 0.6, "distance": 0.05}),
                Crossing("replicas", "complexity", "y_real", (10, 20), at={"alpha": 0.6, "distance": 0.05}, reach=NEAR),
            ),
            0.0,
            1e-7,
            Origin.IDENTITY,
        ),
        *(
            Claim(
                f"around what {algorithm} finds, solutions are denser than around a typical one, at distance {DISTANCE}, alpha = {LOAD}",
                Difference(_around(algorithm), _near("typical")),
                FINITE,
                0.0,
                Origin.PAPER,
                Relation.ABOVE,
            )
            for algorithm in ("sbpi", "reinforced_bp", "focusing_bp")
        ),
        Claim(
            "focusing_bp ends where solutions are as dense as around the best centers, but for that much",
            Difference(_around("focusing_bp"), _near("centers")),
            -FINITE,
            0.0,
            Origin.PAPER,
            Relation.ABOVE,
        ),
        Claim(
            "learning a rule: transition to the teacher",
            Event("teacher", "transition", "alpha", (1.0, 1.4)),
            1.244683989850690279,
            1e-10,
            Origin.INDEPENDENT,
            source="30-digit computation; 1.245 in Gyorgyi, Phys. Rev. A 41 (1990) 7097",
        ),
        Claim(
            "learning a rule: the partial solution ends",
            Event("teacher", "fold", "alpha", (1.3, 1.6)),
            1.4926318182298985,
            1e-8,
            Origin.INDEPENDENT,
        ),
    ),
    unchecked=(
        Unchecked(
            "the load up to which dense clusters exist, as published", "its criterion differs from the two above, which are named by theirs"
        ),
    ),
    trials=(Trial("storage", {"alpha": 0.4}, (10, 15, 20), 64, (10, 15), 32, "enumeration"),),
)
