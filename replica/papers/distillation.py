"""Solvable model for inheriting the regularization through knowledge distillation."""

from replica.papers.record import At, Claim, Curve, Difference, Figure, Origin, Paper, Relation, Trial, Unchecked

HARD, SOFT = {"chi": 0.0}, {"chi": 1.0}
HAND_WRITTEN = "a hand-written solver of both stages with the cross response; without that response the overlap would be 0.2368"

PAPER = Paper(
    name="distillation",
    title="Solvable Model for Inheriting the Regularization through Knowledge Distillation",
    authors="L. Saglietti, L. Zdeborova",
    year=2020,
    arxiv="2012.00194",
    story="""A network is trained on an unbalanced mixture of two clusters, then a smaller one on the same samples with the outputs of the
    first in the place of the labels.  Since the data are shared, the student answers the teacher sample by sample (a cross response).
    The student without a penalty of its own inherits the teacher's: it comes close to the teacher's error, where training on the labels
    overfits, and a badly regularized teacher gives a bad student.""",
    specs={"distillation": "distillation"},
    figures={
        "penalty": Figure(
            "error of the student against its own penalty",
            "lambda_small",
            "generalization error",
            (
                Curve("labels only", "distillation", "generalization_error[small]", "lambda_small", "log:10:0.001:17", HARD),
                Curve("half and half", "distillation", "generalization_error[small]", "lambda_small", "log:10:0.001:17", {"chi": 0.5}),
                Curve(
                    "outputs of the teacher only", "distillation", "generalization_error[small]", "lambda_small", "log:10:0.001:17", SOFT
                ),
                Curve("the teacher", "distillation", "generalization_error[large]", "lambda_small", "log:10:0.001:17", SOFT),
            ),
        ),
        "teacher": Figure(
            "a student without a penalty of its own follows its teacher",
            "lambda_large",
            "generalization error",
            (
                Curve(
                    "student",
                    "distillation",
                    "generalization_error[small]",
                    "lambda_large",
                    "log:10:0.01:13",
                    {**SOFT, "lambda_small": 1e-3},
                ),
                Curve(
                    "teacher",
                    "distillation",
                    "generalization_error[large]",
                    "lambda_large",
                    "log:10:0.01:13",
                    {**SOFT, "lambda_small": 1e-3},
                ),
            ),
        ),
    },
    claims=(
        Claim(
            "overlap of the student with the centroid",
            At("distillation", "m[small,centroid]"),
            0.32528821301266253,
            1e-8,
            Origin.INDEPENDENT,
            source=HAND_WRITTEN,
        ),
        Claim(
            "overlap of student and teacher",
            At("distillation", "q[large,small]"),
            0.22462194146539513,
            1e-8,
            Origin.INDEPENDENT,
            source=HAND_WRITTEN,
        ),
        Claim(
            "nearly without a penalty of its own, a student of outputs is within half a point of its well regularized teacher",
            Difference(
                At("distillation", "generalization_error[small]", {**SOFT, "lambda_small": 1e-3}),
                At("distillation", "generalization_error[large]", {**SOFT, "lambda_small": 1e-3}),
            ),
            0.005,
            0.0,
            Origin.PAPER,
            Relation.BELOW,
        ),
        Claim(
            "trained on the labels with the same small penalty it is worse by more than two points",
            Difference(At("distillation", "generalization_error[small]", HARD), At("distillation", "generalization_error[small]", SOFT)),
            0.02,
            0.0,
            Origin.PAPER,
            Relation.ABOVE,
        ),
        Claim(
            "a badly regularized teacher gives a bad student",
            Difference(
                At("distillation", "generalization_error[small]", {**SOFT, "lambda_small": 1e-3, "lambda_large": 0.01}),
                At("distillation", "generalization_error[small]", {**SOFT, "lambda_small": 1e-3}),
            ),
            0.02,
            0.0,
            Origin.PAPER,
            Relation.ABOVE,
        ),
    ),
    unchecked=(
        Unchecked(
            "double descent of the unregularized student, and how distillation moves its peak",
            "the parameters of the figure are not known here",
        ),
        Unchecked("trained networks on real data", "no downloads"),
    ),
    trials=(Trial("distillation", {}, (200, 400), 20, (100, 200), 10),),
)
