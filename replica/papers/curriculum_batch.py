"""An analytical theory of curriculum learning in teacher-student networks: the batch half."""

from replica.papers.record import At, Claim, Curve, Difference, Figure, Origin, Paper, Relation, Trial, Unchecked

STAGES = """
format = 1
name = "{name}"

[block.relevant]
fraction = "rho"
[block.irrelevant]
fraction = "1 - rho"

[teacher]
prior   = "gaussian"
blocks  = ["relevant"]
channel = "sign"

[slice.easy]
alpha    = "alpha_easy"
variance = {{ relevant = 1, irrelevant = "Delta_easy" }}
[slice.hard]
alpha    = "alpha_hard"
variance = {{ relevant = 1, irrelevant = "Delta_hard" }}

[student]
protocol    = "erm"
loss        = "logistic"
regularizer = {{ kind = "ridge", strength = "lambda" }}
{stages}
[observables]
error_hard = {{ average = "heaviside(-y*z)", on = "hard" }}

[controls]
rho        = {{ value = 0.5, domain = "(0, 1)", meaning = "part of the inputs that matter" }}
alpha_easy = {{ value = 1.0, domain = "(0, inf)" }}
alpha_hard = {{ value = 1.0, domain = "(0, inf)" }}
Delta_easy = {{ value = 0.0, domain = "[0, inf)", meaning = "variance of the irrelevant inputs, easy samples" }}
Delta_hard = {{ value = 1.0, domain = "[0, inf)", meaning = "variance of the irrelevant inputs, hard samples" }}
lambda     = {{ value = 0.1, domain = "(0, inf)" }}
"""
ANTI = (
    STAGES.format(
        name="anti-curriculum, hard then easy",
        stages="""
[[stage]]
name = "first"
on   = "hard"
[[stage]]
name   = "second"
on     = "easy"
couple = { to = "first", strength = "gamma" }
""",
    )
    + 'gamma = { value = 2.0, domain = "[0, inf)", meaning = "pull toward the first stage" }\n'
)
JOINT = STAGES.format(name="no curriculum, all samples at once", stages="")
HAND_WRITTEN = "a hand-written solver of the two stages"

PAPER = Paper(
    name="curriculum_batch",
    title="An Analytical Theory of Curriculum Learning in Teacher-Student Networks",
    authors="L. Saglietti, S. S. Mannelli, A. Saxe",
    year=2021,
    arxiv="2106.08068",
    story="""Some inputs matter, the others are noise that is weak in easy samples and strong in hard ones.  Batch learning to convergence
    forgets what it began with, so that the order of the samples has no effect by itself; a spring to the weights that the first stage
    left makes it matter: easy samples first are then better than all samples at once.""",
    specs={"curriculum": "curriculum", "anti": ANTI, "joint": JOINT},
    figures={
        "spring": Figure(
            "error on hard samples",
            "gamma",
            "generalization error",
            (
                Curve("easy, then hard", "curriculum", "error_hard", "gamma", "log:0.01:100:33"),
                Curve("hard, then easy", "anti", "error_hard", "gamma", "log:0.01:100:33"),
            ),
        ),
        "sparsity": Figure(
            "gain needs noise: the part of the inputs that matter",
            "rho",
            "generalization error on hard samples",
            (
                Curve("easy, then hard, gamma = 0.5", "curriculum", "error_hard", "rho", "0.1:0.9:17", {"gamma": 0.5}),
                Curve("all at once", "joint", "error_hard", "rho", "0.1:0.9:17"),
            ),
        ),
    },
    claims=(
        Claim(
            "joint training, error on hard samples",
            At("joint", "error_hard"),
            0.17137281319236006,
            1e-8,
            Origin.INDEPENDENT,
            source=HAND_WRITTEN,
        ),
        Claim(
            "curriculum at gamma = 2, overlap per relevant input",
            At("curriculum", "m[student@second@relevant,teacher]", {"gamma": 2.0}),
            1.7886744649117543,
            1e-8,
            Origin.INDEPENDENT,
            source=HAND_WRITTEN,
        ),
        Claim(
            "without a spring the first stage is forgotten: worse than all samples at once",
            Difference(At("curriculum", "error_hard", {"gamma": 0.0}), At("joint", "error_hard")),
            0.05,
            0.0,
            Origin.PAPER,
            Relation.ABOVE,
        ),
        Claim(
            "with a tuned spring, easy before hard is better than all at once",
            Difference(At("joint", "error_hard"), At("curriculum", "error_hard", {"gamma": 0.5})),
            0.01,
            0.0,
            Origin.PAPER,
            Relation.ABOVE,
        ),
        Claim(
            "and better than hard before easy with the same spring",
            Difference(At("anti", "error_hard", {"gamma": 0.5}), At("curriculum", "error_hard", {"gamma": 0.5})),
            0.0,
            0.0,
            Origin.PAPER,
            Relation.ABOVE,
        ),
    ),
    unchecked=(Unchecked("the parameters of the paper's figures", "not known here; one setting is shown"),),
    trials=(Trial("curriculum", {"gamma": 0.5}, (200, 400), 20, (100, 200), 10),),
)
