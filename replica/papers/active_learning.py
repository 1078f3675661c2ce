"""Large deviations for the perceptron model and consequences for active learning."""

import math

from replica.papers.ran import Course, Ran
from replica.papers.record import At, Claim, Curve, Difference, Figure, Origin, Paper, Ratio, Relation, Trial, Unchecked

PASSIVE = """
format = 1
name = "passive learning, spherical perceptron"

[teacher]
prior   = "spherical"
channel = "sign"

[student]
protocol = { kind = "gibbs", beta = inf }
loss = "theta"
prior = "spherical"

[controls]
alpha = { value = 1.0, domain = "(0, inf)", meaning = "labelled samples per weight" }
"""
BAYES = """
format = 1
name = "passive learning, Bayes rule of the spherical perceptron"

[teacher]
prior   = "spherical"
channel = "sign"

[student]
protocol = "bayes"

[controls]
alpha = { value = 1.0, domain = "(0, inf)", meaning = "labelled samples per weight" }
"""
SELECTED = """
format = 1
name = "large deviations of the version space over selections of samples"

[teacher]
prior   = "spherical"
channel = "sign"

[data]
alpha = "pool"
selection = { kind = "tilted", keep = "budget", by = "log_volume", tilt = "x" }

[student]
protocol = { kind = "gibbs", beta = inf }
loss = "theta"
prior = "spherical"

[observables]
shortfall = { formula = "log_volume + budget*log(2)" }
halved    = { formula = "-budget*log(2)" }

[controls]
pool   = { value = 3.0, domain = "(0, inf)", meaning = "samples to choose from, per weight" }
budget = { value = 1.0, domain = "(0, inf)", meaning = "labelled samples per weight" }
x      = { value = -2.0, domain = "(-inf, inf)", meaning = "tilt; negative: informative selections, 0: random ones" }
"""
RANDOM = {"x": 0.0}
GIBBS = {0.5: 0.4095575193946367, 1: 0.3383594684214644, 3: 0.181020414076237, 10: 0.061525274062575734}
OPTIMAL = {0.5: 0.32239533960616484, 1: 0.25437297033936895, 3: 0.12985482613622418, 10: 0.04357320396543049}
SIZE, SEEDS, BUDGET = 200, 10, 1.5
ASKED: dict[str, float] = {"pool": 3.0, "budget": BUDGET, "x": 0.0}
STRATEGIES = {
    "random_sampling": "at random",
    "query_by_committee": "where a committee is divided",
    "uncertainty_sampling": "where message passing is unsure",
    "label_informed": "with the labels known (bound)",
}
MARGIN, SCATTER = 0.05, 0.01
"""How close to the information bound is close, set beforehand; and what means over ten systems may scatter by."""


def asked(algorithm: str, quantity: str) -> Ran:
    """A mean over systems whose labels were asked for."""
    return Ran("selected", quantity, algorithm, SIZE, SEEDS, ASKED, {"batch": 20.0})


def more(sentence: str, quantity: str, first: str, second: str, origin: Origin = Origin.PAPER) -> Claim:
    """One strategy has more of a quantity than another."""
    return Claim(sentence, Difference(asked(first, quantity), asked(second, quantity)), 0.0, 0.0, origin, Relation.ABOVE)


def courses(quantity: str) -> tuple[Course, ...]:
    """All strategies, by the number of labels."""
    return tuple(Course(label, asked(name, quantity), "labels") for name, label in STRATEGIES.items())


PAPER = Paper(
    name="active_learning",
    title="Large deviations for the perceptron model and consequences for active learning",
    authors="H. Cui, L. Saglietti, L. Zdeborova",
    year=2019,
    arxiv="1912.03927",
    story="""Which of the samples of a pool should be labelled?  Selections at a given budget are weighted by a power of the volume of the
    version space that they leave; the tilt runs from random selections (0) to the most informative ones (negative, until no selection is
    left: complexity zero).  The replicas of the volume share their selection.""",
    specs={"passive": PASSIVE, "bayes": BAYES, "selected": SELECTED},
    figures={
        "passive": Figure(
            "random selections",
            "labelled samples per weight",
            "generalization error",
            (
                Curve("a draw from the version space", "passive", "generalization_error", "alpha", "0.1:8:30"),
                Curve("Bayes rule", "bayes", "generalization_error", "alpha", "0.1:8:30"),
            ),
        ),
        "volume": Figure(
            "pool 3, budget 1", "tilt x", "log-volume per weight", (Curve("log-volume", "selected", "log_volume", "x", "0:-3:13"),)
        ),
        "complexity": Figure(
            "pool 3, budget 1",
            "tilt x",
            "log-number of selections per weight",
            (Curve("complexity", "selected", "complexity", "x", "0:-3:13"),),
        ),
        "informative": Figure(
            "informative selections learn faster: pool 3, budget 1",
            "tilt x",
            "generalization error",
            (Curve("selected", "selected", "generalization_error", "x", "0:-3:13"),),
        ),
        "asked_volume": Figure(
            f"pool 3, {SIZE} weights: what labels leave of the version space",
            "labels per weight",
            "log-volume per weight",
            (
                Curve("random selections", "selected", "log_volume", "budget", "0.1:1.5:15", {"x": 0.0}),
                Curve("half a label: information bound", "selected", "halved", "budget", "0.1:1.5:15", {"x": 0.0}),
                Curve("selections at tilt -3", "selected", "log_volume", "budget", "0.1:1.5:15", {"x": -3.0}),
                *courses("log_volume"),
            ),
        ),
        "asked_error": Figure(
            f"pool 3, {SIZE} weights: error of a draw from the version space",
            "labels per weight",
            "generalization error",
            (
                Curve("random selections", "selected", "generalization_error", "budget", "0.1:1.5:15", {"x": 0.0}),
                Curve("selections at tilt -3", "selected", "generalization_error", "budget", "0.1:1.5:15", {"x": -3.0}),
                *courses("generalization_error"),
            ),
        ),
    },
    claims=(
        *(
            Claim(
                f"error of a draw from the version space, alpha = {alpha}",
                At("passive", "generalization_error", {"alpha": alpha}),
                error,
                1e-10,
                Origin.INDEPENDENT,
            )
            for alpha, error in GIBBS.items()
        ),
        *(
            Claim(
                f"error of the Bayes rule, alpha = {alpha}",
                At("bayes", "generalization_error", {"alpha": alpha}),
                error,
                1e-10,
                Origin.INDEPENDENT,
            )
            for alpha, error in OPTIMAL.items()
        ),
        Claim(
            "random selections are passive learning at the budget",
            Difference(At("selected", "generalization_error", RANDOM), At("passive", "generalization_error", {"alpha": 1.0})),
            0.0,
            1e-9,
            Origin.IDENTITY,
        ),
        Claim(
            "random selections are counted by the entropy of a coin: complexity 3 H(1/3)",
            At("selected", "complexity", RANDOM),
            1.9095425048844386,
            1e-9,
            Origin.IDENTITY,
        ),
        Claim(
            "a label of a random sample halves the volume at best: log-volume above -log 2 per labelled sample",
            At("selected", "shortfall", RANDOM),
            0.0,
            0.0,
            Origin.IDENTITY,
            Relation.ABOVE,
        ),
        Claim(
            "informative selections leave less volume than random ones",
            Difference(At("selected", "log_volume", {"x": -2.0}, RANDOM), At("selected", "log_volume", RANDOM)),
            0.0,
            0.0,
            Origin.PAPER,
            Relation.BELOW,
        ),
        Claim(
            "and predict better",
            Difference(At("selected", "generalization_error", {"x": -2.0}, RANDOM), At("selected", "generalization_error", RANDOM)),
            0.0,
            0.0,
            Origin.PAPER,
            Relation.BELOW,
        ),
        Claim(
            "there are fewer of them",
            Difference(At("selected", "complexity", {"x": -2.0}, RANDOM), At("selected", "complexity", RANDOM)),
            0.0,
            0.0,
            Origin.IDENTITY,
            Relation.BELOW,
        ),
        Claim(
            "asking where message passing is unsure nearly halves the volume with every label: log-volume over that of the bound",
            Ratio(asked("uncertainty_sampling", "log_volume"), -BUDGET * math.log(2)),
            1 - MARGIN,
            0.0,
            Origin.PAPER,
            Relation.ABOVE,
            source="close to the optimum there; the margin is ours",
        ),
        Claim(
            "who does not see labels does not go beyond the bound",
            Ratio(asked("uncertainty_sampling", "log_volume"), -BUDGET * math.log(2)),
            1 + SCATTER,
            0.0,
            Origin.IDENTITY,
            Relation.BELOW,
        ),
        more("it leaves less than a committee does", "log_volume", "query_by_committee", "uncertainty_sampling"),
        more("a committee leaves less than chance does", "log_volume", "random_sampling", "query_by_committee"),
        more("who knows the labels leaves less still", "log_volume", "uncertainty_sampling", "label_informed"),
        more("queries by uncertainty predict better than random ones", "generalization_error", "random_sampling", "uncertainty_sampling"),
        more("and worse than those of who knows the labels", "generalization_error", "uncertainty_sampling", "label_informed"),
    ),
    unchecked=(
        Unchecked(
            "how fast strategies learn, from theory",
            "only bounds are derived: chance, half the volume a label for who does not see labels, and selections that see them",
        ),
        Unchecked(
            "the most informative selections, where the complexity vanishes",
            "they need stronger tilts than the averages over one selection can be integrated at: a status says so, near x = -4 here",
        ),
    ),
    trials=(
        Trial(
            "selected",
            RANDOM,
            sizes=(40, 80, 160),
            seeds=32,
            fast_sizes=(30, 60),
            fast_seeds=12,
            algorithm="hit_and_run",
            observables=("generalization_error", "m"),
        ),
        Trial(
            "selected",
            RANDOM,
            sizes=(100, 200, 400),
            seeds=24,
            fast_sizes=(60, 120),
            fast_seeds=8,
            algorithm="random_sampling",
            observables=("log_volume", "generalization_error", "m"),
        ),
    ),
)
