"""Bias-inducing geometries: an exactly solvable data model with fairness implications."""

from replica.papers.record import At, Claim, Crossing, Curve, Difference, Extreme, Figure, Origin, Paper, Relation, Trial, Unchecked

RULES = {"q_rule": 1.0, "m_major": 0.2, "m_minor": 0.2}
UNRELATED = {"alpha": 5.0, "q_rule": 0.0}
EVEN = UNRELATED | {"weight": 6.3}  # best for the worse served group: a smaller one is worse for the minority, a larger for the majority
HELD = UNRELATED | {"gamma": 0.05}
OPPOSED = {"m_minor": -0.5}  # positive labels are the more frequent ones in both groups
HAND_WRITTEN = "a hand-written solver of the mixture"

PAPER = Paper(
    name="bias_inducing_geometries",
    title="Bias-inducing geometries: an exactly solvable data model with fairness implications",
    authors="S. S. Mannelli, F. Gerace, N. Rostamzadeh, L. Saglietti",
    year=2022,
    arxiv="2205.15935",
    story="""Two groups of unequal size sit around opposite points and have rules of their own, alike to a degree; one student learns both.
    It treats them differently even where a single rule would serve both; data of the majority help the minority where the rules are
    alike; weights in the loss move criteria of fairness against one another; one student per group, held by a spring, interpolates, and
    where the rules are unrelated serves both groups better than any weight in the loss of a single one.""",
    specs={"mixture": "teacher_mixture", "coupled": "coupled_students"},
    figures={
        "accuracy": Figure(
            "accuracy against the share of the majority",
            "rho",
            "accuracy",
            (
                Curve("majority", "mixture", "accuracy_major", "rho", "0.5:0.95:19"),
                Curve("minority", "mixture", "accuracy_minor", "rho", "0.5:0.95:19"),
            ),
        ),
        "weights": Figure(
            "criteria against the weight of the minority",
            "weight",
            "gap between the groups",
            (
                Curve("statistical parity", "mixture", "statistical_parity", "weight", "log:0.5:20:19"),
                Curve("equal opportunity", "mixture", "equal_opportunity", "weight", "log:0.5:20:19"),
                Curve("predictive parity", "mixture", "predictive_parity", "weight", "log:0.5:20:19"),
            ),
        ),
        "spring": Figure(
            "one student per group",
            "gamma",
            "accuracy",
            (
                Curve("majority", "coupled", "accuracy_major", "gamma", "log:0.01:100:25"),
                Curve("minority", "coupled", "accuracy_minor", "gamma", "log:0.01:100:25"),
            ),
        ),
    },
    claims=(
        Claim(
            "overlap with the rule of the majority",
            At("mixture", "m[student,rule_major]"),
            0.6140155352142884,
            1e-8,
            Origin.INDEPENDENT,
            source=HAND_WRITTEN,
        ),
        Claim(
            "overlap with the rule of the minority",
            At("mixture", "m[student,rule_minor]"),
            0.40757879497492566,
            1e-8,
            Origin.INDEPENDENT,
            source=HAND_WRITTEN,
        ),
        Claim(
            "the larger group is served better",
            Difference(At("mixture", "accuracy_major"), At("mixture", "accuracy_minor")),
            0.05,
            0.0,
            Origin.PAPER,
            Relation.ABOVE,
        ),
        Claim(
            "positive answers differ between the groups although one rule serves both",
            At("mixture", "statistical_parity", RULES),
            0.2,
            0.0,
            Origin.PAPER,
            Relation.ABOVE,
        ),
        Claim(
            "data of the majority help the minority: a spring raises its accuracy over that of its own data alone",
            Difference(At("coupled", "accuracy_minor", {"gamma": 1.0}), At("coupled", "accuracy_minor", {"gamma": 0.0})),
            0.02,
            0.0,
            Origin.PAPER,
            Relation.ABOVE,
        ),
        Claim(
            "positive transfer: where the rules are alike, a student of both groups serves the minority better than its own data alone",
            Difference(At("mixture", "accuracy_minor", {"q_rule": 0.8}), At("coupled", "accuracy_minor", {"q_rule": 0.8, "gamma": 0.0})),
            0.05,
            0.0,
            Origin.PAPER,
            Relation.ABOVE,
        ),
        Claim(
            "negative transfer: where they contradict each other it serves it worse",
            Difference(At("coupled", "accuracy_minor", {"q_rule": -0.5, "gamma": 0.0}), At("mixture", "accuracy_minor", {"q_rule": -0.5})),
            0.1,
            0.0,
            Origin.PAPER,
            Relation.ABOVE,
        ),
        Claim(
            "coupled learners beat reweighing where the rules are unrelated: for the majority",
            Difference(At("coupled", "accuracy_major", HELD), At("mixture", "accuracy_major", EVEN)),
            0.05,
            0.0,
            Origin.PAPER,
            Relation.ABOVE,
        ),
        Claim(
            "and for the minority",
            Difference(At("coupled", "accuracy_minor", HELD), At("mixture", "accuracy_minor", EVEN)),
            0.01,
            0.0,
            Origin.PAPER,
            Relation.ABOVE,
        ),
        Claim(
            "weights trade: from 1 to 2, equal opportunity gets worse",
            Difference(At("mixture", "equal_opportunity", {"weight": 2.0}), At("mixture", "equal_opportunity")),
            0.01,
            0.0,
            Origin.PAPER,
            Relation.ABOVE,
        ),
        Claim(
            "while predictive parity gets better",
            Difference(At("mixture", "predictive_parity"), At("mixture", "predictive_parity", {"weight": 2.0})),
            0.01,
            0.0,
            Origin.PAPER,
            Relation.ABOVE,
        ),
        Claim(
            "criteria exclude one another: the weight of equal opportunity is not that of statistical parity",
            Difference(
                Crossing("mixture", "equal_opportunity", "weight", (1.0, 5.0), at=OPPOSED),
                Crossing("mixture", "statistical_parity", "weight", (1.0, 5.0), at=OPPOSED),
            ),
            0.4,
            0.0,
            Origin.PAPER,
            Relation.ABOVE,
        ),
        Claim(
            "and no weight brings predictive parity",
            Extreme(At("mixture", "predictive_parity", OPPOSED), "weight", (0.1, 40.0), largest=True),
            -0.05,
            0.0,
            Origin.PAPER,
            Relation.BELOW,
        ),
    ),
    unchecked=(
        Unchecked(
            "coupled learners beat reweighing where rules are alike",
            "not at the default point, where one weighted student is better for both groups; the paper's parameters are not known",
        ),
        Unchecked("phase diagrams of disparate impact, real data (CelebA, MEPS)", "parameters not known here; no downloads"),
    ),
    trials=(Trial("mixture", {}, (200, 400), 20, (100, 200), 10),),
)
