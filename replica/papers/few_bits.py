"""Learning may need only a few bits of synaptic precision: capacities of synapses with few levels, dense clusters of their solutions."""

from collections.abc import Sequence

from replica.papers.ran import Ran
from replica.papers.record import At, Claim, Curve, Dots, Figure, Origin, Paper, Ratio, Relation, Trial, Unchecked

CAPACITY = """
format = 1
name = "capacity of synapses with levels {levels}"

# A threshold at its best value leaves nothing of the mean of the weights: centered inputs do the same without one.
[student]
protocol = {{ kind = "gibbs", beta = inf }}
prior = {{ atoms = {levels} }}
loss = "theta"

[controls]
alpha = {{ solve = "entropy = 0", value = {near}, domain = "(0, inf)", meaning = "patterns per weight" }}
"""
DENSE = """
format = 1
name = "dense clusters of synapses with levels 0 1 2 3"

[student]
protocol = { kind = "gibbs", beta = inf }
prior = { atoms = [0, 1, 2, 3] }
loss = "theta"
ensemble = { kind = "robust", y = "y_real", overlap = "S", constrained = false }

[controls]
alpha  = { value = 0.4, domain = "(0, inf)", meaning = "patterns per weight" }
y_real = { value = 3, domain = "[1, inf]", meaning = "real replicas around the center" }
S      = { value = 3.0, domain = "(0, inf)", meaning = "overlap with the center, w.w_center/d" }
"""
STORAGE = """
format = 1
name = "storage, synapses with levels -1 0 1"

[student]
protocol = { kind = "gibbs", beta = inf }
prior = { atoms = [-1, 0, 1] }
loss = "theta"

[controls]
alpha = { value = 0.5, domain = "(0, inf)", meaning = "patterns per weight" }

[run]
sizes = [200, 400]
seeds = 32
"""
FROM_ZERO = {2: 0.5897376501325166, 3: 0.7411508896283985, 4: 0.8105543116981949, 6: 0.8763319509175611, 8: 0.9080087622051057}
SYMMETRIC = {3: 1.1744819104557125, 5: 1.4765648938161988, 9: 1.6950844022022338}
GUTFREUND_STEIN = "the first of each family also in Gutfreund & Stein, J. Phys. A 23 (1990) 2613, to the digits printed there"
SIZE, SEEDS, STEPS = 501, 8, 1000


def _rule(spec: str, quantity: str, alpha: float) -> Ran:
    """SBPI on patterns drawn at random."""
    return Ran(spec, quantity, "sbpi", SIZE, SEEDS, {"alpha": alpha}, {"steps": STEPS})


def _capacity(levels: Sequence[int], near: float) -> str:
    return CAPACITY.format(levels=list(levels), near=near)


def _claims(name: str, known: dict[int, float], what: str) -> tuple[Claim, ...]:
    return tuple(
        Claim(f"capacity of {count} levels {what}", At(f"{name}_{count}", "alpha"), value, 1e-9, Origin.INDEPENDENT, source=GUTFREUND_STEIN)
        for count, value in known.items()
    )


PAPER = Paper(
    name="few_bits",
    title="Learning may need only a few bits of synaptic precision",
    authors="C. Baldassi, F. Gerace, C. Lucibello, L. Saglietti, R. Zecchina",
    year=2016,
    arxiv="1602.04129",
    story="""A synapse with few levels stores almost as much as one with a continuum of them: the capacity, where the entropy of the
    solutions vanishes, grows quickly with the number of levels.  As for binary weights, typical solutions are isolated and rare dense
    clusters of solutions are where learning ends.""",
    specs={
        **{f"from_zero_{count}": _capacity(range(count), round(0.9 * value, 2)) for count, value in FROM_ZERO.items()},
        **{
            f"symmetric_{count}": _capacity(range(-(count // 2), count // 2 + 1), round(0.9 * value, 2))
            for count, value in SYMMETRIC.items()
        },
        "storage": STORAGE,
        "binary": "binary_storage",
        "dense": DENSE,
    },
    figures={
        "capacity": Figure(
            "capacity of discrete synapses (limits of many levels: 1 and 2)",
            "number of levels",
            "alpha_c",
            (
                Dots("levels 0 ... L", tuple((count, At(f"from_zero_{count}", "alpha")) for count in FROM_ZERO)),
                Dots("levels -L ... L", tuple((count, At(f"symmetric_{count}", "alpha")) for count in SYMMETRIC)),
            ),
        ),
        "entropy": Figure(
            "entropy of the solutions, levels -1 0 1",
            "alpha",
            "entropy per weight",
            (Curve("replica symmetric", "storage", "entropy", "alpha", "0.1:1.15:22"),),
        ),
        "dense": Figure(
            "dense clusters, levels 0 1 2 3, alpha = 0.4",
            "S",
            "local entropy per weight",
            (Curve("y = 3", "dense", "local_entropy", "S", "3:4.6:9"),),
        ),
        "rule": Figure(
            f"SBPI, {SIZE} weights, at most {STEPS} passes",
            "alpha",
            "part of the systems that are solved",
            tuple(
                Dots(label, tuple((alpha, _rule(spec, "success", alpha)) for alpha in (0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9)), joined=True)
                for label, spec in (("levels -1 1", "binary"), ("levels -1 0 1", "storage"))
            ),
        ),
    },
    claims=(
        *_claims("from_zero", FROM_ZERO, "0 1 2 ..."),
        *_claims("symmetric", SYMMETRIC, "symmetric about 0"),
        Claim(
            "dense clusters exist at alpha = 0.4: local entropy around centers with 3 solutions at overlap 4.2",
            At("dense", "local_entropy", {"S": 4.2}, {"S": 3.0}),
            0.0,
            0.0,
            Origin.PAPER,
            Relation.ABOVE,
        ),
        Claim(f"a simple rule stores patterns in three levels at alpha = 0.8, {SIZE} weights", _rule("storage", "success", 0.8),
              0.5, 0.0, Origin.PAPER, Relation.ABOVE),
        Claim("where it does not in two", _rule("binary", "success", 0.8), 0.5, 0.0, Origin.PAPER, Relation.BELOW),
        Claim("at alpha = 0.7 it needs fewer passes for three levels than for two",
              Ratio(_rule("storage", "steps", 0.7), _rule("binary", "steps", 0.7)), 1.0, 0.0, Origin.PAPER, Relation.BELOW),
    ),
    unchecked=(
        Unchecked("the densest clusters, y to infinity", "the limit is built for weights of two values"),
        Unchecked("sparse patterns (coding level below one half)", "needs margins that depend on the label and a bias that is extremized"),
        Unchecked("message passing finds solutions at a few bits", "messages here know weights of two values"),
    ),
    trials=(Trial("storage", {"alpha": 0.5}, (8, 10, 12), 64, (6, 8, 10), 32, "enumeration"),),
)
