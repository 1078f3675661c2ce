"""The twin peaks of learning neural networks: mean dimension and test error of random features."""

from replica.papers.record import At, Claim, Curve, Difference, Figure, Origin, Paper, Relation, Trial, Unchecked

WIDTHS = "log:0.2:10:41"
HAND_WRITTEN = "a hand-written solver with nodes of Marchenko and Pastur"
WEAK, STRONG = {"lambda": 1e-4}, {"lambda": 0.1}

PAPER = Paper(
    name="twin_peaks",
    title="The twin peaks of learning neural networks",
    authors="E. Demyanenko, C. Feinauer, E. M. Malatesta, L. Saglietti",
    year=2024,
    arxiv="2401.12610",
    story="""The Boolean mean dimension of a trained function counts how many inputs act together.  For regression on random features it
    peaks where the features are as many as the samples, as the test error does, and decays slowly with more; a penalty damps both.""",
    specs={"features": "random_features"},
    figures={
        "dimension": Figure(
            "Boolean mean dimension, two samples per input",
            "width",
            "mean dimension",
            (
                Curve("weak penalty", "features", "bmd", "width", WIDTHS, WEAK),
                Curve("strong penalty", "features", "bmd", "width", WIDTHS, STRONG),
            ),
        ),
        "error": Figure(
            "test error, two samples per input",
            "width",
            "generalization error",
            (
                Curve("weak penalty", "features", "generalization_error", "width", WIDTHS, WEAK),
                Curve("strong penalty", "features", "generalization_error", "width", WIDTHS, STRONG),
            ),
        ),
    },
    claims=(
        Claim(
            "mean dimension at a quarter of the samples",
            At("features", "bmd", {"width": 0.5, "lambda": 1e-3}),
            1.2872046610928642,
            1e-6,
            Origin.INDEPENDENT,
            source=HAND_WRITTEN,
        ),
        Claim(
            "mean dimension where features and samples are as many",
            At("features", "bmd", {"width": 2.0, "lambda": 1e-3}),
            1.8137394699202134,
            1e-6,
            Origin.INDEPENDENT,
            source=HAND_WRITTEN,
        ),
        *(
            Claim(
                f"{name} is larger where features are as many as samples than at {side}",
                Difference(At("features", what, {"width": 2.0, **WEAK}), At("features", what, {"width": width, **WEAK})),
                0.0,
                0.0,
                Origin.PAPER,
                Relation.ABOVE,
            )
            for name, what in (("mean dimension", "bmd"), ("test error", "generalization_error"))
            for side, width in (("three quarters of them", 1.5), ("five quarters of them", 2.5))
        ),
        Claim(
            "a penalty damps the peak of the mean dimension",
            Difference(At("features", "bmd", {"width": 2.0, **WEAK}), At("features", "bmd", {"width": 2.0, **STRONG})),
            0.3,
            0.0,
            Origin.PAPER,
            Relation.ABOVE,
        ),
    ),
    unchecked=(
        Unchecked("adversarial initialization raises the mean dimension, robust networks have a lower one", "simulation of deep networks"),
        Unchecked("trained deep networks on images", "no downloads"),
    ),
    trials=(Trial("features", {"width": 0.5}, (150, 300), 20, (100, 200), 10),),
)
