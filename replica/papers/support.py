"""How neural networks learn the support: the noise of small batches turns off the inputs that do not matter."""

from replica.papers.record import Claim, Difference, Figure, Origin, Paper, Ratio, Relation, Trial, Unchecked
from replica.papers.routes import Measured, Moment, Reading, Route, Track

_BLOCKS = """
[block.relevant]
fraction = "1/3"
[block.irrelevant]
fraction = "2/3"
[teacher]
prior   = { atoms = ["sqrt(15)"], weights = [1] }
blocks  = ["relevant"]
channel = { kind = "linear", variance = "sigma**2" }
[observables]
irrelevant = { kind = "column_norm", block = "irrelevant" }
"""

# 1500 samples that come again in every pass; b = 1500 is gradient descent
PASSES = f"""format = 1
name = "two linear layers, passes over 1500 samples"
{_BLOCKS}
[data]
law     = {{ kind = "gaussian", dimension = 15 }}
samples = 1500
[student]
protocol = {{ kind = "sgd", rate = "eta", batch = "b", steps = "steps", replace = false }}
loss     = "square"
network  = {{ kind = "deep_linear", widths = [15] }}
start    = {{ weights = 0.3, readout = 0.3 }}
[controls]
sigma = {{ value = 0.5, domain = "[0, inf)" }}
eta   = {{ value = 0.01, domain = "(0, inf)" }}
b     = {{ value = 4, domain = "integers [1, inf)" }}
steps = {{ value = 50000, domain = "integers [1, inf)" }}
[run]
times = "0:50000:11"
sizes = [15]
seeds = 8
"""

# the setting of the paper's notebook: labels nearly without noise, a large rate, gradients cut at norm 1, loss (y - z)^2
OWN = f"""format = 1
name = "four linear layers with biases, clipped steps"
{_BLOCKS}
[data]
law     = {{ kind = "gaussian", dimension = 15 }}
samples = 5000
[student]
theory   = "none"
reason   = "four layers and clipped steps have no slow flow"
protocol = {{ kind = "sgd", rate = "eta", batch = "b", steps = "steps", replace = false, clip = 1 }}
loss     = {{ formula = "(y - z)**2" }}
network  = {{ kind = "deep_linear", widths = [15, 15, 15], bias = true }}
start    = {{ weights = "sqrt(2/15)", readout = "sqrt(2/15)", negative = 0.5 }}
[controls]
sigma = {{ value = 0.001, domain = "[0, inf)" }}
eta   = {{ value = 0.1, domain = "(0, inf)" }}
b     = {{ value = 32, domain = "integers [1, inf)" }}
steps = {{ value = 15000, domain = "integers [1, inf)" }}
"""

RATE = 0.01
TIMES = (0.0, 5e3, 1e4, 2e4, 3.5e4, 5e4)
DENSE = tuple(float(n) for n in range(0, 50001, 1250))
SHORT = tuple(float(n) for n in range(0, 15001, 750))
IRRELEVANT, ENTRY = "irrelevant", "Q@irrelevant[1,1]"
BY_HAND = "elimination of the fast fluctuations by hand"
NUMPY = "a simulation in numpy"


def law(times: tuple[float, ...], spec: str = "law", **at: float) -> Route:
    """The slow flow, from the draw of seed 0."""
    return Route(spec, times, {"steps": times[-1], "eta": RATE, **at})


def own(quantity: str, label: str = "", **at: float) -> Measured:
    """Networks of the paper's setting."""
    return Measured(label, "own", quantity, SHORT, {"steps": SHORT[-1], **at}, size=15, seeds=2, fast_seeds=2)


def networks(b: int) -> Measured:
    """Networks of two layers."""
    at = {"b": b, "steps": TIMES[-1], "eta": RATE}
    return Measured(f"networks, batch {b}", "law", IRRELEVANT, TIMES, at, size=15, seeds=8, fast_seeds=2)


def left(spec: str = "law", **at: float) -> Ratio:
    """What is left of a product of irrelevant weights after 20000 steps of rate 0.02, from when the output has been fitted."""
    route = law((0.0, 1e4, 3e4), spec, eta=0.02, **at)
    return Ratio(Moment(route, ENTRY, 3e4), Moment(route, ENTRY, 1e4))


def frozen(spec: str = "law", **at: float) -> Difference:
    """What the norm changes by once the output has been fitted."""
    route = law((0.0, 5e3, 1e4), spec, **at)
    return Difference(Moment(route, IRRELEVANT, 1e4), Moment(route, IRRELEVANT, 5e3))


PAPER = Paper(
    name="support",
    title="How neural networks learn the support is an implicit regularization effect of SGD",
    authors="P. Beneventano, A. Pinto, T. Poggio",
    year=2024,
    arxiv="2406.11110",
    story="""Steps on small batches shrink the weights of inputs that labels do not depend on, gradient descent leaves them where they were.
    Here the law of two linear layers is derived: weights descend the loss plus rate/4 times the trace of the covariance of a step's
    gradient, so that irrelevant ones decay as exp(-rate^2 variance steps/(2 batch)) down to a floor.  In the setting of the paper's
    notebook labels have hardly any noise, and what shrinks the weights is the error that a large, clipped rate keeps up.""",
    specs={"law": "support_linear", "passes": PASSES, "own": OWN},
    figures={
        "decay": Figure(
            "norm of irrelevant first weights, label noise of standard deviation 0.5",
            "steps",
            "norm",
            (*(Track(f"law, batch {b}", law(DENSE, b=b, sigma=0.5), IRRELEVANT) for b in (1, 4, 16)), *map(networks, (1, 4, 16))),
            log="y",
        ),
        "noise": Figure(
            "norm of irrelevant first weights, batches of 4",
            "steps",
            "norm",
            tuple(Track(f"standard deviation {s:g}", law(DENSE, b=4, sigma=s), IRRELEVANT) for s in (0.0, 0.5, 1.0)),
            log="y",
        ),
        "own": Figure(
            "norm of irrelevant first weights, the paper's own setting",
            "steps",
            "norm",
            (
                own(IRRELEVANT, "rate 0.1, batch 1", b=1),
                own(IRRELEVANT, "rate 0.1, batch 32"),
                own(IRRELEVANT, "rate 0.01, batch 32", eta=0.01),
            ),
            log="y",
        ),
    },
    claims=(
        *(
            Claim(
                f"products of irrelevant weights decay as exp(-rate^2 variance steps/batch): batch {b}, standard deviation {sigma:g}",
                left(b=b, sigma=sigma),
                expected,
                1e-3,
                Origin.INDEPENDENT,
                source=BY_HAND,
            )
            for b, sigma, expected in ((4, 0.5, 0.6065306597126334), (4, 1.0, 0.1353352832366127), (8, 1.0, 0.36787944117144233))
        ),
        Claim("without label noise irrelevant weights stay where fitting left them", frozen(sigma=0.0), 0.0, 1e-6, Origin.PAPER),
        Claim("gradient descent, all samples in every step, leaves them too", frozen("passes", b=1500), 0.0, 1e-6, Origin.PAPER),
        Claim(
            "in the end they fluctuate: squared norm (inputs that do not matter) rate variance/(2 batch)",
            Moment(law((0.0, 2e4), eta=0.04, b=1, sigma=1.0), IRRELEVANT),
            0.4472135954999579,
            1e-3,
            Origin.INDEPENDENT,
            source="stationary variance of linear fluctuations",
        ),
        Claim(
            "the paper's setting: a third of the irrelevant weights' norm is gone after 15000 steps",
            Reading(own(IRRELEVANT), SHORT[-1]),
            2.9,
            0.0,
            Origin.PAPER,
            Relation.BELOW,
            source="figure: 4.5 falls to about 0.1 in 200000",
        ),
        Claim(
            "with a rate ten times smaller they stay: what drives them is not the label noise",
            Reading(own(IRRELEVANT, eta=0.01), SHORT[-1]),
            4.0,
            0.0,
            Origin.INDEPENDENT,
            Relation.ABOVE,
            source=f"{NUMPY}: 4.36 to 4.43",
        ),
        Claim(
            "clipping is active in most steps of the paper's setting",
            Reading(own("clipped"), SHORT[-1]),
            0.5,
            0.0,
            Origin.INDEPENDENT,
            Relation.ABOVE,
            source=f"{NUMPY}: 60 to 75 of 100 steps",
        ),
        Claim(
            "and the large rate keeps up an error thousands of times the variance of the labels' noise",
            Reading(own("batch_mse"), SHORT[-1]),
            0.01,
            0.0,
            Origin.INDEPENDENT,
            Relation.ABOVE,
            source=f"{NUMPY}: 0.03 to 0.06",
        ),
    ),
    unchecked=(
        Unchecked(
            "sine and staircase targets, diagonal networks",
            "labels that are no linear function are not built for sgd",
        ),
        Unchecked("batches of 512 for 2e5 steps, and weight decay of gradient descent", "minutes of computing; no weight decay in the law"),
        Unchecked(
            "the law beyond the lowest order in the rate",
            "it is the law that is off, in the next order of the rate: on batches of 16 runs decay faster by 4.0 +- 0.2 % at rate 0.01 and "
            "by 8.4 +- 0.4 % at 0.02 (200000 steps at 0.01 end at norm 3.0237 +- 0.0010, the law at 3.0381), and fitting the output "
            "leaves 0.0015 and 0.0022 less of the norm; 16 runs of 25000 steps resolve that (z = -4.8), shorter ones do not",
        ),
        Unchecked("deep networks with rectified units on images", "no downloads"),
    ),
    trials=(
        Trial("law", {"eta": 0.0025, "steps": 10000, "b": 4}, (15,), 16, (15,), 6),
        Trial("passes", {"eta": 0.005}, (15,), 16, (15,), 6),
    ),
)
