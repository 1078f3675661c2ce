"""Generalized approximate survey propagation for high-dimensional estimation: state evolution and the algorithms, phase retrieval."""

from replica.papers.ran import Ran
from replica.papers.record import At, Claim, Crossing, Curve, Event, Figure, Origin, Paper, Relation, Trial, Unchecked

MESSAGE_PASSING = """
format = 1
name = "phase retrieval, mismatched estimator, message passing on {ansatz}"

[teacher]
prior   = "gaussian"
channel = "abs"

[student]
protocol = {protocol}
loss = {{ formula = "(y - abs(z))**2" }}                   # the paper's loss, without 1/2
regularizer = {{ kind = "ridge", strength = "lambda" }}

[ansatz]
{ansatz_table}

[controls]
alpha  = {{ value = 1.5, domain = "(0, inf)", meaning = "measurements per dimension" }}
lambda = {{ value = 0.1, domain = "[0, inf)", meaning = "ridge strength" }}
{more}
"""
PARISI = 'x = { value = 1.0, domain = "(0, inf)", meaning = "Parisi parameter in units of the temperature" }'
EVOLUTION = '{ kind = "amp", steps = "steps", start = 0.001, damping = 0.5 }'
STEPS = 'steps = {{ value = {}, domain = "integers [1, inf)", meaning = "steps of state evolution" }}'


def _broken(protocol: str, more: str = "") -> str:
    return MESSAGE_PASSING.format(ansatz="1RSB", protocol=protocol, ansatz_table='kind = "rsb"\nk = 1\nx = "x"', more=f"{PARISI}\n{more}")


SPECS = {
    "gamp": MESSAGE_PASSING.format(ansatz="RS", protocol=EVOLUTION, ansatz_table='kind = "rs"', more=STEPS.format(4000)),
    "gasp": _broken(EVOLUTION, STEPS.format(2000)),
}
SPECS |= {"followed": _broken('{ kind = "amp", steps = 8, start = 0.3 }'), "search": _broken('"erm"')}
LONG, AT_1145, AT_530 = {"steps": 20000.0}, {"steps": 1145.0}, {"steps": 530.0}
"""The shorter runs of GASP end where the signal is found (1126 and 504 steps to nine tenths, seen in longer runs), before recovery is so
perfect that averages over a jumping score lose digits and the run ends in a quadrature error."""
BISECTION = (
    "state evolution by an independent program, bisection to 0.002; agrees with the result files of GASP.jl where these have the cell"
)
SIGNAL = 0.9
STEPPED = "state evolution by an independent program; the number of steps moves it by some thousandths, as the signal grows slowly there"
BRACKETED = (
    ("GAMP", "gamp", {"lambda": 0.0001}, 2.4679609537124634, 0.01, STEPPED),
    ("GAMP", "gamp", {"lambda": 0.001}, 2.4641058146953583, 0.01, STEPPED),
    ("GAMP", "gamp", {"lambda": 0.01}, 2.4245832562446594, 0.01, STEPPED),
    ("GAMP", "gamp", LONG | {"lambda": 0.1}, 1.9035593271255493, 0.01, STEPPED),
    ("GASP", "gasp", AT_1145 | {"x": 1.0, "lambda": 0.01}, 1.990234375, 0.004, BISECTION),
    ("GASP", "gasp", {"x": 1.0, "lambda": 0.1}, 1.466796875, 0.004, BISECTION),
    ("GASP", "gasp", AT_530 | {"x": 2.0, "lambda": 0.01}, 1.8203125, 0.004, BISECTION),
    ("GASP", "gasp", {"x": 5.0, "lambda": 0.1}, 1.2734375, 0.004, BISECTION),
    ("GASP", "gasp", {"x": 20.0, "lambda": 0.01}, 1.333984375, 0.004, BISECTION),
    ("GASP", "gasp", {"x": 20.0, "lambda": 0.1}, 1.21875, 0.004, BISECTION),
    ("GASP", "gasp", {"x": 100.0, "lambda": 0.01}, 1.138671875, 0.004, BISECTION),
)
"""Algorithm, spec, controls, threshold in alpha, how far to either side of it recovery is looked for, where it is from."""

SEARCHED = {"lambda": 0.1, "x": 5.0}
OPTIONS = {"damping": 0.5, "tolerance": 1e-3, "steps": 300, "restarts": 0}
SIZE, SEEDS = 1000, 4


def _found(algorithm: str, alpha: float, relation: Relation, threshold: float) -> Claim:
    verb = "finds" if relation is Relation.ABOVE else "does not find"
    sentence = f"{algorithm.upper()} {verb} the signal of {SIZE} coordinates at alpha = {alpha:g}, ridge 0.1"
    value = Ran("search", "overlap", algorithm, SIZE, SEEDS, {**SEARCHED, "alpha": alpha}, OPTIONS)
    return Claim(sentence, value, SIGNAL, 0.0, Origin.INDEPENDENT, relation, source=f"threshold {threshold:.3f} of state evolution")


PAPER = Paper(
    name="gasp",
    title="Generalized Approximate Survey Propagation for High-Dimensional Estimation",
    authors="L. Saglietti, Y. M. Lu, C. Lucibello",
    year=2019,
    arxiv="1905.05313",
    story="""An estimator that does not know the prior recovers a signal from the absolute values of its projections.  Message passing
    built on replica symmetry (GAMP) fails far above the optimal threshold, since the landscape of the estimator is rough.  Built on one
    step of replica symmetry breaking (GASP) with a well chosen Parisi parameter, it comes close to the Bayes-optimal algorithm.""",
    specs={**SPECS, "bayes": "phase_retrieval"},
    figures={
        "overlap": Figure(
            "ridge 0.1: what state evolution recovers",
            "alpha",
            "cosine with the signal",
            (
                Curve("GAMP", "gamp", "overlap", "alpha", "2.2:1:49"),
                *(Curve(f"GASP, x = {x}", "gasp", "overlap", "alpha", "1.75:1:31", {"x": x}) for x in (1, 5, 20)),
            ),
        ),
        "bayes": Figure("Bayes-optimal", "alpha", "q", (Curve("uninformed", "bayes", "q", "alpha", "0.6:1.12:27"),)),
    },
    claims=(
        Claim(
            "Bayes-optimal message passing recovers the signal above this threshold",
            Event("bayes", "fold", "alpha", (0.9, 1.3)),
            1.1284714065728043,
            1e-8,
            Origin.INDEPENDENT,
            source="1.13 in Barbier et al., PNAS 116 (2019) 5451",
        ),
        Claim(
            "GAMP recovers nine tenths of the signal above, ridge 1",
            Crossing("gamp", "overlap", "alpha", (1.78, 1.74), SIGNAL, LONG | {"lambda": 1.0}, resolution=1e-8),
            1.759324848651886,
            5e-4,
            Origin.INDEPENDENT,
        ),
        *(
            Claim(
                f"{name} {verb} the signal at alpha = {threshold + side * width:.3f}, {', '.join(f'{k} = {v:g}' for k, v in at.items())}",
                At(spec, "overlap", {**at, "alpha": threshold + side * width}),
                SIGNAL,
                0.0,
                Origin.INDEPENDENT,
                relation,
                source=f"threshold {threshold:.3f} by {source}",
            )
            for name, spec, at, threshold, width, source in BRACKETED
            for side, verb, relation in ((1, "recovers", Relation.ABOVE), (-1, "does not recover", Relation.BELOW))
        ),
        _found("gasp", 1.4, Relation.ABOVE, 1.273),
        _found("gasp", 1.15, Relation.BELOW, 1.273),
        _found("gamp", 1.4, Relation.BELOW, 1.904),
    ),
    unchecked=(
        Unchecked("below one half nothing is learnt", "the solution at the end of its domain is found to 1e-5 only"),
        Unchecked("at x = 100 and ridge 0.1 there is no recovery", "the state evolution depends on its damping there"),
    ),
    trials=(Trial("followed", {"alpha": 1.6, "lambda": 0.3, "x": 2.0}, (1000, 2000), 16, (500, 1000), 8),),
)
