"""Optimal transfer protocol by incremental layer defrosting."""

from replica.papers.ran import Ran
from replica.papers.record import Claim, Curve, Difference, Dots, Figure, Origin, Paper, Relation, Unchecked

SPEC = """
format = 1
name = "layers copied and frozen, correlated hidden manifolds"
assume = ["gaussian_equivalence"]

[latent.F_source]
prior = "gaussian"
shape = "matrix"
[latent.F_target]
prior = "gaussian"
shape = "matrix"
overlap = { F_source = "eta_F" }
[latent.rule_source]
prior = "gaussian"
[latent.rule_target]
prior = "gaussian"
overlap = { rule_source = "q_rule" }

[slice.source]
alpha = "alpha_source"
law   = { kind = "hidden_manifold", map = "F_source", latent_ratio = 0.3, activation = "tanh" }
label = { of = "rule_source", channel = "sign" }
[slice.target]
alpha = "alpha_target"
law   = { kind = "hidden_manifold", map = "F_target", latent_ratio = 0.3, activation = "tanh" }
label = { of = "rule_target", channel = "sign" }

[learner.pretrained]
on = "source"
protocol = { kind = "adam", rate = 0.01, batch = 100, steps = 600 }
loss = "logistic"
network = { kind = "mlp", widths = [0.5, 0.5], activation = "tanh" }
theory = "none"
reason = "trained inner layers: no closed theory"

[learner.thawed]
on = "target"
protocol = { kind = "adam", rate = 0.01, batch = 100, steps = 600 }
loss = "logistic"
network = { kind = "mlp", widths = [0.5, 0.5], activation = "tanh", copy_from = "pretrained", frozen = "k" }
theory = "none"
reason = "trained inner layers: no closed theory"

[learner.scratch]
on = "target"
protocol = { kind = "adam", rate = 0.01, batch = 100, steps = 600 }
loss = "logistic"
network = { kind = "mlp", widths = [0.5, 0.5], activation = "tanh" }
theory = "none"
reason = "trained inner layers: no closed theory"

[learner.head]
on = "target"
protocol = "erm"
loss = "logistic"
regularizer = { kind = "ridge", strength = "lambda" }
network = { kind = "head_of", learner = "pretrained", layer = 2 }

[[stage]]
name = "source"
learners = "pretrained"
[[stage]]
name = "target"
learners = ["thawed", "scratch", "head"]

[observables]
error_thawed  = { average = "heaviside(-y*z)", learner = "thawed", on = "target" }
error_scratch = { average = "heaviside(-y*z)", learner = "scratch", on = "target" }
error_head    = { average = "heaviside(-y*z)", learner = "head", on = "target" }
error_source  = { average = "heaviside(-y*z)", learner = "pretrained", on = "source" }
alike_1       = { kind = "similarity", between = ["pretrained", "scratch"], layer = 1, measure = "cka" }
alike_2       = { kind = "similarity", between = ["pretrained", "scratch"], layer = 2, measure = "cka" }
alike_0       = { kind = "similarity", between = ["pretrained", "scratch"], layer = 0, measure = "cka" }

[controls]
k            = { value = 2, domain = "integers [0, 2]", meaning = "layers kept frozen" }
alpha_source = { value = 20.0, domain = "(0, inf)" }
alpha_target = { value = 1.0, domain = "(0, inf)" }
eta_F        = { value = 0.9, domain = "[0, 1]", meaning = "overlap of the two maps" }
q_rule       = { value = 0.9, domain = "[-1, 1]", meaning = "overlap of the two rules" }
lambda       = { value = 0.1, domain = "(0, inf)" }

[run]
sweep = { k = [0, 1, 2], alpha_target = "log:0.1:10:12" }
sizes = [100]
seeds = 10
"""
SIZE, SEEDS = 100, 4
NEAR: dict[str, float] = {"eta_F": 0.9, "q_rule": 0.9, "k": 0}
FEW, MANY = {**NEAR, "alpha_target": 0.5}, {**NEAR, "alpha_target": 10.0}


def trained(quantity: str, at: dict[str, float]) -> Ran:
    """A mean over finite systems."""
    return Ran("layers", quantity, "erm", SIZE, SEEDS, at)


PAPER = Paper(
    name="defrosting",
    title="Optimal transfer protocol by incremental layer defrosting",
    authors="F. Gerace, D. Doimo, S. S. Mannelli, L. Saglietti, A. Laio",
    year=2023,
    arxiv="2303.01429",
    story="""A deep network is trained on a source with many samples.  Its first k layers are copied and frozen, the others go on learning
    on a target with fewer samples.  To freeze all but the head is often not best: the best depth falls with the number of samples and
    with the distance of the tasks.  The network that is frozen but for its head has a theory, given how its features vary, which is
    measured, and is good to some hundredths here; the other depths are simulated.  Small networks on correlated hidden manifolds stand
    for the paper's deep ones.""",
    specs={"layers": SPEC},
    figures={
        "depth": Figure(
            "test error on the target, half a sample per input",
            "layers kept frozen",
            "generalization error",
            (Dots("near tasks", tuple((float(k), trained("error_thawed", {**FEW, "k": k})) for k in (0, 1, 2)), joined=True),),
        ),
        "head": Figure(
            "all frozen but the head: theory",
            "alpha_target",
            "generalization error",
            (Curve("near tasks", "layers", "error_head", "alpha_target", "log:0.1:10:13", NEAR),),
            log="x",
        ),
        "similarity": Figure(
            "kernel alignment of networks that learned the source and the target",
            "layer",
            "alignment",
            (
                Dots("few samples", tuple((float(layer), trained(f"alike_{layer}", FEW)) for layer in (0, 1, 2)), joined=True),
                Dots("many samples", tuple((float(layer), trained(f"alike_{layer}", MANY)) for layer in (0, 1, 2)), joined=True),
            ),
        ),
    },
    claims=(
        Claim(
            "few samples: a network that starts from the source's layers is better than one that starts anew",
            Difference(trained("error_scratch", FEW), trained("error_thawed", FEW)),
            0.03,
            0.0,
            Origin.PAPER,
            Relation.ABOVE,
        ),
        Claim(
            "many samples: it is no longer",
            Difference(trained("error_scratch", MANY), trained("error_thawed", MANY)),
            0.01,
            0.0,
            Origin.PAPER,
            Relation.BELOW,
        ),
        Claim(
            "to freeze everything but the head is not best, few samples",
            Difference(trained("error_head", FEW), trained("error_thawed", FEW)),
            0.01,
            0.0,
            Origin.PAPER,
            Relation.ABOVE,
        ),
        Claim(
            "with many samples it loses more",
            Difference(trained("error_head", MANY), trained("error_thawed", MANY)),
            0.04,
            0.0,
            Origin.PAPER,
            Relation.ABOVE,
        ),
        Claim(
            "networks that learned the two tasks are less alike in the second layer than in the first",
            Difference(trained("alike_1", FEW), trained("alike_2", FEW)),
            0.05,
            0.0,
            Origin.PAPER,
            Relation.ABOVE,
        ),
    ),
    unchecked=(
        Unchecked(
            "the best depth falls with the number of samples and with the distance of the tasks",
            "seen at one point only: with half a sample per input of a near task nothing frozen is better already than all but the head",
        ),
        Unchecked("the values of the paper's figures", "its architectures, sizes and step counts are not known here; one setting is shown"),
        Unchecked("other measures of similarity: intrinsic dimension, information imbalance, neighborhood overlap", "alignment is built"),
        Unchecked(
            "the error of the head, against its theory",
            "the theory takes features for Gaussian, and those of a second trained layer are not: with two samples per input it says 0.183 "
            "where four systems of 100 inputs have 0.150, with a standard error of 0.002",
        ),
        Unchecked("deep networks on images", "no downloads"),
    ),
)
