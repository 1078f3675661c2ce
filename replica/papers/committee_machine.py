"""The soft committee machine trained online: its plateau, its escape, and what label noise leaves."""

from math import asin, log, pi, sqrt

from replica.papers.record import Claim, Difference, Dots, Figure, Origin, Paper, Ratio, Relation, Trial, Unchecked
from replica.papers.routes import Measured, Moment, Numbers, Passage, Rest, Route, Track

TEXT = """format = 1
name = "soft committee machine, {m} units in the teacher{also}"

[teacher]
prior   = "gaussian"
network = {{ kind = "committee", units = {m}, activation = {teacher} }}
channel = {{ kind = "linear", variance = "Delta" }}

[student]
protocol = {{ kind = "online_sgd", rate = "eta" }}
loss     = "square"
network  = {{ kind = "committee", units = "K", activation = {student}{readout} }}

[observables]
error = {{ formula = "(mse - Delta)/2" }}

[controls]
alpha = {{ value = 1000.0, domain = "(0, inf)", meaning = "training time, steps/d" }}
eta   = {{ value = 0.2, domain = "(0, inf)", meaning = "learning rate" }}
Delta = {{ value = 0.0, domain = "[0, inf)", meaning = "variance of the label noise" }}
K     = {{ value = {m}, domain = "integers [1, inf)", meaning = "units of the student" }}

[run]
times = "log:0.1:1000:60"
"""
ERF, TWICE = '"erf"', '{ formula = "2*erf(z/sqrt(2))" }'
SPECS = {
    "two": TEXT.format(m=2, also="", teacher=ERF, student=ERF, readout=""),
    "three": TEXT.format(m=3, also="", teacher=ERF, student=ERF, readout=""),
    "first_layer": TEXT.format(m=2, also=", first layer learns", teacher=TWICE, student=TWICE, readout=""),
    "both_layers": TEXT.format(m=2, also=", both layers learn", teacher=TWICE, student=ERF, readout=', readout = "trained"'),
}
SAAD = "Saad and Solla 1995"
GOLDT = "Goldt, Advani, Saxe, Krzakala, Zdeborova 2019, arXiv:1906.08632"
BY_HAND = "the equations of 1995 typed by hand, integrated at 1e-12"
NOISE = 0.01


def eye(n: int) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(float(i == j) for j in range(n)) for i in range(n))


# ---------------------------------------------------------------- the run of the reference

ERRORS = {1.0: 5.520284656e-1, 10.0: 7.877767600e-2, 100.0: 1.520324994e-2, 1000.0: 2.519065747e-6}
RUN = Route(
    "two",
    "log:1:1000:301",
    start={
        "Q": (((0.997113, 0.03254), (0.03254, 0.979483)),),
        "R": (((0.007732, 0.008472), (-0.011529, -0.000284)),),
        "T": (eye(2),),
    },
)

# ---------------------------------------------------------------- the plateau of K = M = 3

UNEVEN = ((0.9, 0.2, 0.4), (0.1, 0.7, 0.3), (0.5, 0.6, 0.8))
PLATEAU = 3 / pi * (pi / 6 - 3 * asin(1 / 6))
SMALL = {"eta": 1e-4}
NEAR: dict[str, Numbers] = {
    "Q": (tuple(tuple(0.3 if i == j else 0.25 for j in range(3)) for i in range(3)),),
    "R": (((0.3, 0.3, 0.3),) * 3,),
    "T": (eye(3),),
}


def leaving(asymmetry: float, eta: float) -> Route:
    """From weights of uneven length whose overlaps with the teacher are `asymmetry` times numbers of order one."""
    start: dict[str, Numbers] = {
        "Q": (((0.1, 0.0, 0.0), (0.0, 0.25, 0.0), (0.0, 0.0, 0.4)),),
        "R": (tuple(tuple(asymmetry * u for u in row) for row in UNEVEN),),
        "T": (eye(3),),
    }
    return Route("three", f"log:{0.1 / eta:g}:{1000 / eta:g}:300", {"eta": eta, "alpha": 1000 / eta}, start)


def escape(asymmetry: float, eta: float) -> Passage:
    """When the error has fallen to half of the plateau's."""
    return Passage(leaving(asymmetry, eta), "error", PLATEAU / 2)


SADDLE = (0.2518125741966, 0.1917537158233, 0.2641763917848)
"""Q of a unit, Q of two units and R at the plateau's fixed point for learning rate 0.3, where `Rest` from NEAR ends."""


def beside(asymmetry: float) -> Passage:
    """The escape of units that differ from the plateau's fixed point by `asymmetry` times numbers of order one."""
    one, two, cross = SADDLE
    start: dict[str, Numbers] = {
        "Q": (tuple(tuple(one if i == j else two for j in range(3)) for i in range(3)),),
        "R": (tuple(tuple(cross + asymmetry * u for u in row) for row in UNEVEN),),
        "T": (eye(3),),
    }
    return Passage(Route("three", "log:1:4000:300", {"eta": 0.3, "alpha": 4000.0}, start), "error", PLATEAU / 2)


# ---------------------------------------------------------------- label noise


def redundant(units: int, eta: float) -> Rest:
    """Error of a student that has learned, with `units` - 2 units too many."""
    own = tuple(tuple((1.0 if i < 2 else 0.02) * (i == j) for j in range(units)) for i in range(units))
    cross = tuple(tuple(float(i == j) for j in range(2)) for i in range(units))
    return Rest("two", "error", {"Q": (own,), "R": (cross,), "T": (eye(2),)}, {"eta": eta, "Delta": NOISE, "K": float(units)})


def floor(units: int, eta: float) -> float:
    """To first order in the learning rate."""
    return eta * NOISE * (units - 2 + 2 / sqrt(3)) / (2 * pi)


def trained(spec: str, units: int) -> Moment:
    """Error after a long time, from drawn weights."""
    at = {"eta": 0.05, "Delta": NOISE, "K": float(units), "alpha": 2e4}
    return Moment(Route(spec, "log:1:2e4:200", at, {"T": (eye(2),)}, seeds=(1,)), "error")


def floor_claim(units: int, eta: float, expected: float) -> Claim:
    sentence = f"noise of variance 0.01 leaves this error at eta = {eta:g}, {units} units learn 2"
    return Claim(sentence, redundant(units, eta), expected, 6e-5 * expected, Origin.INDEPENDENT, source=BY_HAND)


RATES = (0.0125, 0.025, 0.05, 0.1, 0.2)
ASYMMETRIES = (1e-3, 1e-4, 1e-6, 1e-8)

PAPER = Paper(
    name="committee_machine",
    title="On-line Learning in Soft Committee Machines",
    authors="D. Saad, S. A. Solla",
    year=1995,
    arxiv="",
    journal="Phys. Rev. E 52, 4225",
    story="""A student of K units with activation erf learns a teacher of M such units, one sample at a time.  The overlaps obey closed
    equations.  The student first learns what all units of the teacher have in common and stays there: on a plateau all its units are
    alike.  The plateau is a saddle of the flow, and is left after a time that grows as the logarithm of how alike the units were at the
    start.  With label noise the error stops at a level proportional to the learning rate, which redundant units raise.""",
    specs=SPECS,
    figures={
        "error": Figure(
            "two units learn two, learning rate 0.2",
            "alpha",
            "error",
            (
                Track("flow", RUN, "error"),
                Track("flow, drawn start", Route("two", "log:0.1:300:200", {"alpha": 300.0}, size=500, seeds=(3,)), "error"),
            ),
            log="xy",
        ),
        "overlaps": Figure(
            "three units learn three: all alike on the plateau, then each finds its own",
            "alpha",
            "R",
            tuple(Track(f"R[1,{n}]", leaving(1e-6, 0.1), f"R[1,{n}]") for n in (1, 2, 3)),
            log="x",
        ),
        "plateau": Figure(
            "the plateau is left later, the more alike the units begin",
            "alpha",
            "error",
            tuple(Track(f"asymmetry {r:g}", leaving(r, 0.1), "error") for r in ASYMMETRIES),
            log="xy",
        ),
        "escape": Figure(
            "time of escape",
            "logarithm of 1/asymmetry",
            "eta alpha",
            tuple(
                Dots(
                    f"learning rate {eta:g}",
                    tuple((log(1 / r), Ratio(escape(r, eta), 1 / eta)) for r in ASYMMETRIES),
                    joined=True,
                )
                for eta in (0.01, 0.3, 1.0)
            ),
        ),
        "noise": Figure(
            "error left by label noise",
            "learning rate",
            "error",
            tuple(
                one
                for units in (2, 3)
                for one in (
                    Dots(f"{units} units", tuple((eta, redundant(units, eta)) for eta in RATES), joined=True),
                    Dots(f"{units} units, first order", tuple((eta, Ratio(floor(units, eta), 1.0)) for eta in RATES)),
                )
            ),
            log="xy",
        ),
        "runs": Figure(
            "runs of 300 inputs",
            "alpha",
            "mean squared error",
            (
                Track("flow, means over starts", Route("two", "log:0.1:30:60", {"alpha": 30.0}, size=300, seeds=tuple(range(8))), "mse"),
                Measured("runs", "two", "mse", "log:0.1:30:12", {"alpha": 30.0}, size=300, seeds=16, fast_seeds=4),
            ),
            log="xy",
        ),
    },
    claims=(
        *(
            Claim(
                f"error at alpha = {time:g}, two units learn two from a given start",
                Moment(RUN, "error", time),
                expected,
                1e-10 if time < 1000 else 1e-9,
                Origin.INDEPENDENT,
                source=BY_HAND,
            )
            for time, expected in ERRORS.items()
        ),
        Claim("plateau: R = 1/sqrt(K (2 K - 1))", Rest("three", "R[1,2]", NEAR, SMALL), 1 / sqrt(15), 1e-5, Origin.PAPER, source=SAAD),
        Claim("plateau: Q = 1/(2 K - 1)", Rest("three", "Q[1,1]", NEAR, SMALL), 1 / 5, 1e-4, Origin.PAPER, source=SAAD),
        Claim("the same between two units", Rest("three", "Q[1,2]", NEAR, SMALL), 1 / 5, 1e-4, Origin.PAPER, source=SAAD),
        Claim(
            "plateau: error K/pi (pi/6 - K asin(1/(2 K)))", Rest("three", "error", NEAR, SMALL), PLATEAU, 1e-5, Origin.PAPER, source=SAAD
        ),
        Claim(
            "the plateau is a saddle: rate of the fastest growth, in units of the learning rate",
            Ratio(Rest("three", "growth", NEAR, SMALL), 1e-4),
            0.0,
            0.0,
            Origin.PAPER,
            Relation.ABOVE,
        ),
        Claim(
            "escape is later by ln(10^3)/growth where the units begin 10^3 times more alike",
            Ratio(
                Difference(beside(1e-8), beside(1e-5)),
                Ratio(log(1e3), Rest("three", "growth", NEAR, {"eta": 0.3})),
            ),
            1.0,
            2e-5,  # what is left out is of the order of the larger asymmetry over ln(10^3), and of the resolution of both times
            Origin.IDENTITY,
        ),
        Claim(
            "at small learning rate the plateau lasts as 1/eta: eta 100 times smaller, 100 times as long",
            Ratio(Ratio(escape(1e-6, 1e-4), escape(1e-6, 1e-2)), 100.0),
            1.0,
            5e-3,
            Origin.PAPER,
        ),
        floor_claim(2, 0.0125, 2.3095e-5),
        floor_claim(2, 0.05, 9.3894e-5),
        floor_claim(2, 0.2, 4.0187e-4),
        floor_claim(3, 0.0125, 4.3254e-5),
        floor_claim(3, 0.05, 1.77844e-4),
        *(
            Claim(
                f"to first order it is eta sigma^2 (L + M/sqrt(3))/(2 pi), L = {units - 2} redundant units",
                Ratio(redundant(units, 1e-3), floor(units, 1e-3)),
                1.0,
                2e-3,
                Origin.LITERATURE,
                source=GOLDT,
            )
            for units in (2, 3, 4)
        ),
        Claim(
            "first layer alone, teacher of twice the size: error at alpha = 20000, eta = 0.05",
            trained("first_layer", 2),
            4.0211e-4,
            1e-6,
            Origin.INDEPENDENT,
            source=BY_HAND,
        ),
        Claim(
            "first layer alone: four units leave more than twice the error of two",
            Ratio(trained("first_layer", 4), trained("first_layer", 2)),
            2.0,
            0.0,
            Origin.LITERATURE,
            Relation.ABOVE,
            source=GOLDT,
        ),
        Claim(
            "both layers: four units leave no more than two",
            Ratio(trained("both_layers", 4), trained("both_layers", 2)),
            1.0,
            0.0,
            Origin.LITERATURE,
            Relation.BELOW,
            source=GOLDT,
        ),
    ),
    unchecked=(
        Unchecked("the figures' own trajectories", "their initial overlaps were random numbers that are not printed"),
        Unchecked(
            "a run rests at the plateau's error",
            "at eta = 0.01 the run still relaxes where its plateau is read: 0.02091 and not 0.02030, so the fixed point is compared",
        ),
        Unchecked(
            "the same slope of the time of escape from weights of uneven length",
            "what tells lengths apart relaxes at 0.0036 eta and outlasts the plateau: at eta = 0.3 asymmetries of 1e-10 and 1e-7 give "
            "1.0011 times ln(10^3)/growth, 1e-6 and 1e-3 give 1.011, so that the claim starts beside the fixed point",
        ),
        Unchecked("the learning rate above which the student no longer learns", "no number is at hand to compare with"),
    ),
    trials=(Trial("two", {"alpha": 5.0}, (300, 600), 16, (200, 400), 8),),
)
