"""The star-shaped space of solutions of the spherical negative perceptron."""

from replica.papers.record import At, Claim, Crossing, Curve, Dots, Event, Figure, Origin, Paper, Relation, Unchecked

STORAGE = "spherical_storage"
SAMPLED = "star_shaped"
KERNEL = """
format = 1
name = "the robust solution that sees every typical one"

[learner.typical]
protocol = { kind = "gibbs", beta = inf }
prior = "spherical"
loss = { kind = "theta", margin = "kappa" }
[learner.robust]
like = "typical"
loss = { kind = "theta", margin = "kappa_high" }

[observables]
overlap_ab = { cosine = ["typical", "robust"] }
touching   = { formula = "kappa_high - kappa*overlap_ab" }     # the geodesic leaves the typical solution without a new error

[controls]
alpha      = { value = 1.0, domain = "(0, inf)", meaning = "patterns per weight" }
kappa      = { value = -0.5, domain = "(-inf, inf)", meaning = "margin of the problem" }
kappa_high = { solve = "touching = 0", value = -0.3, domain = "(-inf, inf)", meaning = "margin of the robust solution" }
"""
NEGATIVE = {"kappa": -0.5}
TWINS = {"kappa_high": -0.5, "gamma": 0.5}
CONVEX = {0.5: -0.38128953823961403, 1.0: -0.4045944094166872, 3.0: -0.46920638645980645}
STAR = {0.5: -0.09278650561533874, 1.0: -0.1710564050537549, 3.0: -0.3883262771503518}
MIDPOINT = {0.5: 0.0054980671848877056, 1.0: 0.010028700100813063, 3.0: 0.02121153531069475}
OWN = "own derivation under replica symmetry, independent program; not compared with the paper's text"

PAPER = Paper(
    name="star_shaped",
    title="The star-shaped space of solutions of the spherical negative perceptron",
    authors="B. L. Annesi, C. Lauditi, C. Lucibello, E. M. Malatesta, G. Perugini, F. Pittorino, L. Saglietti",
    year=2023,
    arxiv="2305.10623",
    story="""With a negative margin the solutions of the perceptron are no convex set.  Two typical ones see a barrier on the geodesic
    between them, while a solution of a margin that is high enough sees every typical one without a barrier: the space of solutions is a
    star around its robust members.  Vertices are sampled independently from the same data, and barriers are observables of their law,
    not extremized.""",
    specs={"storage": STORAGE, "sampled": SAMPLED, "kernel": KERNEL},
    figures={
        "barrier": Figure(
            "kappa = -0.5, alpha = 1: errors on the geodesic from a typical solution",
            "position",
            "errors per weight",
            tuple(
                Curve(f"to margin {margin}", "sampled", "barrier", "gamma", "0:1:41", {"kappa_high": margin})
                for margin in (-0.45, -0.3, -0.1)
            ),
        ),
        "star": Figure(
            "kappa = -0.5: margin from which every typical solution is seen",
            "alpha",
            "margin",
            (
                Dots(
                    "kappa_star",
                    tuple((alpha, At("kernel", "kappa_high", {"alpha": alpha})) for alpha in (0.5, 1.0, 1.5, 2.0, 2.5, 3.0)),
                ),
            ),
        ),
        "overlap": Figure(
            "kappa = -0.5: overlap of two solutions", "alpha", "q", (Curve("typical", "storage", "q", "alpha", "0.2:3.9:20", NEGATIVE),)
        ),
    },
    claims=(
        Claim(
            "typical solutions become unstable to replica symmetry breaking",
            Crossing("storage", "replicon", "alpha", (3.5, 4.2), at=NEGATIVE),
            3.9507013134449345,
            1e-10,
            Origin.INDEPENDENT,
        ),
        Claim(
            "the same point met in following the load",
            Event("storage", "replicon", "alpha", (3.5, 4.2), NEGATIVE),
            3.9507013134449345,
            1e-10,
            Origin.INDEPENDENT,
        ),
        *(
            Claim(
                f"margin from which every typical solution is seen, alpha = {alpha:g}",
                At("kernel", "kappa_high", {"alpha": alpha}),
                value,
                1e-8,
                Origin.INDEPENDENT,
                source=OWN,
            )
            for alpha, value in STAR.items()
        ),
        *(
            Claim(
                f"at margin {margin:.3g} any two solutions see each other: q = 2 (margin/kappa)^2 - 1, alpha = {alpha:g}",
                At("storage", "q", {"alpha": alpha, "kappa": margin}),
                2 * (margin / NEGATIVE["kappa"]) ** 2 - 1,
                1e-8,
                Origin.INDEPENDENT,
                source=OWN,
            )
            for alpha, margin in CONVEX.items()
        ),
        *(
            Claim(
                f"barrier halfway between two typical solutions, alpha = {alpha:g}",
                At("sampled", "barrier", {**TWINS, "alpha": alpha}),
                value,
                1e-6,
                Origin.INDEPENDENT,
                source=OWN,
            )
            for alpha, value in MIDPOINT.items()
        ),
        Claim(
            "two typical solutions see a barrier",
            At("sampled", "barrier", {**TWINS, "alpha": 1.0}),
            0.0,
            0.0,
            Origin.PAPER,
            Relation.ABOVE,
        ),
    ),
    unchecked=(
        Unchecked("the load at which the star falls apart", "replica symmetry breaks first at the margins it needs"),
        Unchecked("gradient-based and message-passing solutions lie in the kernel of the star", "algorithms; not run here"),
    ),
)
