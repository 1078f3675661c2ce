"""Role of synaptic stochasticity in training low-precision neural networks."""

from replica.papers.ran import Classified, Course, Ran
from replica.papers.record import At, Claim, Curve, Difference, Dots, Figure, Origin, Paper, Relation, Trial, Unchecked

STOCHASTIC = """
format = 1
name = "binary synapses with trained means"

[student]
protocol = { kind = "gibbs", beta = "beta" }
prior = { kind = "uniform", low = -1, high = 1 }          # the mean of a synapse
self_overlap = "q_star"
loss = { formula = "-log(H(-y*z / sqrt(1 - q_star)))" }   # minus the log-probability of a right answer

[controls]
alpha  = { value = 0.5, domain = "(0, inf)", meaning = "patterns per weight" }
beta   = { value = 20.0, domain = "(0, inf]", meaning = "inverse temperature" }
q_star = { value = 0.7, domain = "(0, 1)", meaning = "squared mean synapse, averaged over synapses" }

[run]
algorithms = [{ kind = "gradient_ascent", rate = 0.1, momentum = 0.9, steps = 5000 }]
"""
FROZEN = STOCHASTIC.replace("value = 20.0", "value = inf")
TEACHER = STOCHASTIC.replace("trained means", "trained means, learning a rule").replace(
    "[student]", '[teacher]\nprior = "binary"\nchannel = "sign"\n\n[student]'
)
HALF, HARD = {"alpha": 0.5, "kappa": 0.0}, {"alpha": 0.6, "kappa": 0.0}
EASY, NEAR = {"alpha": 0.4, "kappa": 0.0}, 0.05
"""A load at which annealing solves small systems too, and the distance at which solutions are counted around those found."""
MEANS, STRAIGHT = "stochastic_weights", "straight_through"
WIDTHS = (8, 24, 64)
POINTS = 0.02
"""Two points of accuracy in a hundred, the margin of what is called as good, set beforehand."""
NO_NUMBER = "the paper trains deep networks so; that it works is its claim, the number is ours"


def signs(quantity: str, algorithm: str, size: int, seeds: int, at: dict[str, float], around: float | None = None) -> Ran:
    """A mean over systems of weights of signs."""
    return Ran("signs", quantity, algorithm, size, seeds, at, around=around)


def digits(rule: str, width: int = 64) -> Classified:
    """Test accuracy on the bundled digits: two hidden layers of signs, thirty epochs, ten cuts."""
    return Classified("digits", rule, (width, width))


PAPER = Paper(
    name="stochastic_synapses",
    title="Role of synaptic stochasticity in training low-precision neural networks",
    authors="C. Baldassi, F. Gerace, H. J. Kappen, C. Lucibello, L. Saglietti, E. Tartaglione, R. Zecchina",
    year=2017,
    arxiv="1710.09825",
    story="""Each binary synapse is a coin, and the coins' biases are trained so that a network drawn from them answers right.  The
    energy is that of real replicas whose number is the inverse temperature, and so training is drawn into dense regions of solutions; as
    the biases are driven to certainty the network is left there.  Gradient steps on the biases do this in single systems, and with Gaussian
    fields carried from layer to layer in deep networks.""",
    specs={"storage": STOCHASTIC, "frozen": FROZEN, "teacher": TEACHER, "signs": "binary_storage"},
    figures={
        "overlap": Figure(
            "beta = 20: how alike two draws of the biases are",
            "squared bias q_star",
            "q",
            tuple(Curve(f"alpha = {alpha}", "storage", "q", "q_star", "0.1:0.95:18", {"alpha": alpha}) for alpha in (0.3, 0.5)),
        ),
        "free_entropy": Figure(
            "alpha = 0.5: free entropy",
            "squared bias q_star",
            "free entropy per weight",
            tuple(Curve(f"beta = {beta}", "storage", "free_entropy", "q_star", "0.1:0.95:18", {"beta": beta}) for beta in (5, 20)),
        ),
        "generalization": Figure(
            "a binary teacher, beta = 20",
            "squared bias q_star",
            "generalization error",
            tuple(
                Curve(f"alpha = {alpha}", "teacher", "generalization_error", "q_star", "0.2:0.95:16", {"alpha": alpha})
                for alpha in (0.5, 1.0)
            ),
        ),
        "ground_state": Figure(
            "alpha = 0.5: biases of least energy",
            "squared bias q_star",
            "free entropy per weight",
            (Curve("beta = inf", "frozen", "free_entropy", "q_star", "0.1:0.95:18"),),
        ),
        "path": Figure(
            "alpha = 0.5: energy while 501 biases are driven to certainty",
            "squared bias q_star",
            "energy per weight",
            (
                Curve("least energy, theory", "frozen", "energy", "q_star", "0.1:0.8:15"),
                Course("gradient steps", signs("energy_of_means", MEANS, 501, 4, HALF), "q_star"),
            ),
        ),
        "digits": Figure(
            "deep networks of signs on handwritten digits",
            "units in each of two hidden layers",
            "test accuracy",
            tuple(
                Dots(label, tuple((float(width), digits(rule, width)) for width in WIDTHS), joined=True)
                for label, rule in (("trained biases", MEANS), ("straight through the signs", STRAIGHT))
            ),
        ),
    },
    claims=(
        *(
            Claim(
                f"free entropy at alpha = 0.5, beta = {beta}, q_star = {bias}",
                At("storage", "free_entropy", {"beta": beta, "q_star": bias}),
                expected,
                1e-10,
                Origin.INDEPENDENT,
                source="hand-written integrals, tests/reference/test_papers.py",
            )
            for beta, bias, expected in ((20, 0.7, -2.510931435986), (5, 0.4, -1.180731712848))
        ),
        *(
            Claim(
                f"energy of the best biases at alpha = 0.5, q_star = {bias}",
                At("frozen", "energy", {"q_star": bias}),
                expected,
                1e-9,
                Origin.INDEPENDENT,
                source="hand-written integrals, tests/reference/test_frozen_synapses.py",
            )
            for bias, expected in ((0.3, 0.12028994834), (0.7, 0.03585603895))
        ),
        Claim(
            "gradient steps on biases solve storage: 0.6 patterns per weight, 301 weights, more than half of the systems",
            signs("success", MEANS, 301, 5, HARD),
            0.5,
            0.0,
            Origin.PAPER,
            Relation.ABOVE,
        ),
        Claim(
            "they find denser regions than annealing does: 0.4 patterns per weight, 201 weights, solutions 5 percent away",
            Difference(
                signs("local_entropy", MEANS, 201, 6, EASY, NEAR),
                signs("local_entropy", "annealing", 201, 6, EASY, NEAR),
            ),
            0.0,
            0.0,
            Origin.PAPER,
            Relation.ABOVE,
        ),
        Claim("deep networks of signs: nine of ten digits are put right", digits(MEANS), 0.9, 0.0, Origin.PAPER, Relation.ABOVE, NO_NUMBER),
        Claim(
            "trained biases do as well as steps straight through the signs, to two in a hundred",
            Difference(digits(MEANS), digits(STRAIGHT)),
            -POINTS,
            0.0,
            Origin.PAPER,
            Relation.ABOVE,
            NO_NUMBER,
        ),
    ),
    unchecked=(
        Unchecked("local entropy around the rounded biases grows with q_star", "a probe around a function of the weights is not declared"),
        Unchecked("accuracies of the paper's deep networks", "its data sets are not bundled; digits and smaller networks stand for them"),
    ),
    trials=(
        Trial("frozen", {"q_star": 0.5}, (250, 500, 1000), 16, (100, 200), 8, algorithm="gradient_ascent", observables=("energy",)),
    ),
)
