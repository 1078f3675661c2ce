"""Probing transfer learning with a model of synthetic correlated datasets."""

from replica.papers.ran import Ran
from replica.papers.record import At, Claim, Curve, Difference, Figure, Origin, Paper, Relation, Trial, Unchecked

SPEC = """
format = 1
name = "transfer learning, correlated hidden manifolds"
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
law   = { kind = "hidden_manifold", map = "F_source", latent_ratio = "delta", activation = "tanh" }
label = { of = "rule_source", channel = "sign" }
[slice.target]
alpha = "alpha_target"
law   = { kind = "hidden_manifold", map = "F_target", latent_ratio = "delta", activation = "tanh" }
label = { of = "rule_target", channel = "sign" }

[learner.source_net]
on = "source"
protocol = { kind = "adam", rate = 0.01, batch = 100, steps = 800 }
loss = "logistic"
network = { kind = "mlp", widths = ["width"], activation = "tanh" }
theory = "none"

[learner.transferred]
on = "target"
protocol = "erm"
loss = "logistic"
regularizer = { kind = "ridge", strength = "lambda" }
network = { kind = "head_of", learner = "source_net", layer = 1 }

[learner.random_map]
on = "target"
protocol = "erm"
loss = "logistic"
regularizer = { kind = "ridge", strength = "lambda" }
network = { kind = "random_features", ratio = "width", activation = "tanh" }

[learner.scratch]
on = "target"
protocol = { kind = "adam", rate = 0.01, batch = 100, steps = 800 }
loss = "logistic"
network = { kind = "mlp", widths = ["width"], activation = "tanh" }
theory = "none"

[learner.tuned]
on = "target"
protocol = { kind = "adam", rate = 0.003, batch = 100, steps = 800 }
loss = "logistic"
network = { kind = "mlp", widths = ["width"], activation = "tanh", copy_from = "source_net" }
theory = "none"

[[stage]]
name = "source"
learners = "source_net"
[[stage]]
name = "target"
learners = ["transferred", "random_map", "scratch", "tuned"]

[observables]
error_transferred = { average = "heaviside(-y*z)", learner = "transferred", on = "target" }
error_random      = { average = "heaviside(-y*z)", learner = "random_map", on = "target" }
error_source      = { average = "heaviside(-y*z)", learner = "source_net", on = "source" }
error_scratch     = { average = "heaviside(-y*z)", learner = "scratch", on = "target" }
error_tuned       = { average = "heaviside(-y*z)", learner = "tuned", on = "target" }
gain              = { formula = "error_random - error_transferred" }

[controls]
delta        = { value = 0.5, domain = "(0, inf)", meaning = "latent dimension / input dimension" }
eta_F        = { value = 0.9, domain = "[0, 1]", meaning = "overlap of the two maps" }
q_rule       = { value = 0.9, domain = "[-1, 1]", meaning = "overlap of the two rules" }
width        = { value = 0.5, domain = "(0, inf)", meaning = "hidden units / input dimension" }
alpha_source = { value = 10.0, domain = "(0, inf)" }
alpha_target = { value = 1.0, domain = "(0, inf)" }
lambda       = { value = 0.01, domain = "(0, inf)" }

[run]
sweep = { alpha_target = "log:0.1:10:20" }
sizes = [200]
seeds = 8
"""
SIZE, SEEDS = 200, 3
RANDOM = """
format = 1
name = "random features of a hidden manifold"
assume = ["gaussian_equivalence"]
[latent.map]
prior = "gaussian"
shape = "matrix"
[latent.rule]
prior = "gaussian"
[data]
law   = { kind = "hidden_manifold", map = "map", latent_ratio = 0.5, activation = "tanh" }
label = { of = "rule", channel = "sign" }
[student]
protocol    = "erm"
loss        = "logistic"
regularizer = { kind = "ridge", strength = "lambda" }
network     = { kind = "random_features", ratio = "width", activation = "tanh" }
[controls]
alpha  = { value = 1.0, domain = "(0, inf)" }
width  = { value = 0.5, domain = "(0, inf)", meaning = "features / input dimension" }
lambda = { value = 0.1, domain = "(0, inf)" }
[run]
sizes = [200, 400]
seeds = 16
"""
RELATED: dict[str, float] = {}
BETWEEN, STRANGE = {"q_rule": 0.3}, {"eta_F": 0.0, "q_rule": 0.0}
FEW, MANY = {"alpha_target": 0.2}, {"alpha_target": 10.0}
WEAK, STRONG = {"lambda": 1e-5}, {"lambda": 0.1}
ERROR = "generalization_error"
SAMPLES, WIDTHS = "log:0.1:10:17", "log:0.1:4:33"


def trained(quantity: str, at: dict[str, float]) -> Ran:
    """A mean over finite systems."""
    return Ran("tasks", quantity, "erm", SIZE, SEEDS, at)


PAPER = Paper(
    name="transfer",
    title="Probing transfer learning with a model of synthetic correlated datasets",
    authors="F. Gerace, L. Saglietti, S. S. Mannelli, A. Saxe, L. Zdeborova",
    year=2021,
    arxiv="2106.05418",
    story="""Inputs of a source and of a target task lie on hidden manifolds whose maps and rules are correlated.  A network with one hidden
    layer learns the source from many samples; on its frozen layer a head learns the target from few.  Compared are random features,
    a network that starts anew, and one that starts from the source network.  Heads have a theory: on random features of a manifold from
    the spec alone, on trained ones given the spectrum of their covariance and what it holds of the label's field, which are measured on
    a few networks that are trained for it.""",
    specs={"tasks": SPEC, "random": RANDOM},
    figures={
        "samples": Figure(
            "test error on the target, maps and rules with overlap 0.9",
            "alpha_target",
            "generalization error",
            (
                Curve("head on the source's layer", "tasks", "error_transferred", "alpha_target", SAMPLES, RELATED),
                Curve("head on random features", "tasks", "error_random", "alpha_target", SAMPLES, RELATED),
            ),
            log="x",
        ),
        "relation": Figure(
            "what the source's layer gains over random features, half a sample per input",
            "q_rule",
            "difference of the test errors",
            (Curve("maps with overlap 0.9", "tasks", "gain", "q_rule", "0.3:0.9:3", {"alpha_target": 0.5}),),
        ),
        "peak": Figure(
            "random features of the target, one sample per input",
            "width",
            "generalization error",
            (
                Curve("weak penalty", "random", ERROR, "width", WIDTHS, WEAK),
                Curve("strong penalty", "random", ERROR, "width", WIDTHS, STRONG),
            ),
            log="x",
        ),
    },
    claims=(
        Claim(
            "with few samples of a related target, transferred features are better than random ones",
            At("tasks", "gain", {**RELATED, **FEW}),
            0.1,
            0.0,
            Origin.PAPER,
            Relation.ABOVE,
        ),
        Claim(
            "and better than a network that starts anew",
            Difference(trained("error_scratch", {**RELATED, **FEW}), trained("error_transferred", {**RELATED, **FEW})),
            0.05,
            0.0,
            Origin.PAPER,
            Relation.ABOVE,
        ),
        Claim(
            "with rules that overlap by 0.3 few samples favor the transferred features",
            At("tasks", "gain", {**BETWEEN, **FEW}),
            0.0,
            0.0,
            Origin.PAPER,
            Relation.ABOVE,
        ),
        Claim(
            "and many samples the random ones",
            At("tasks", "gain", {**BETWEEN, **MANY}),
            -0.005,
            0.0,
            Origin.PAPER,
            Relation.BELOW,
        ),
        Claim(
            "with many samples, going on from the source network is better than its frozen layer",
            Difference(trained("error_transferred", {**RELATED, **MANY}), trained("error_tuned", {**RELATED, **MANY})),
            0.02,
            0.0,
            Origin.PAPER,
            Relation.ABOVE,
        ),
        Claim(
            "negative transfer: between unrelated tasks random features are better",
            At("tasks", "gain", {**STRANGE, "alpha_target": 2.0}),
            -0.01,
            0.0,
            Origin.PAPER,
            Relation.BELOW,
        ),
        *(
            Claim(
                f"with a weak penalty the error of random features peaks where samples become separable: above that at width {w}",
                Difference(At("random", ERROR, {**WEAK, "width": 0.35}), At("random", ERROR, {**WEAK, "width": w})),
                0.002,
                0.0,
                Origin.PAPER,
                Relation.ABOVE,
            )
            for w in (0.3, 0.4)
        ),
        Claim(
            "a penalty removes the peak: there the error goes on falling with more features",
            Difference(At("random", ERROR, {**STRONG, "width": 0.3}), At("random", ERROR, {**STRONG, "width": 0.35})),
            0.002,
            0.0,
            Origin.PAPER,
            Relation.ABOVE,
        ),
    ),
    unchecked=(
        Unchecked("the values of the paper's figures", "its sizes, step counts and penalties are not known here; one setting is shown"),
        Unchecked("adding features is not the same as taking some away", "a map of which parts are replaced is not built"),
        Unchecked("letters of EMNIST as source and target", "no downloads"),
    ),
    trials=(
        Trial("random", {"width": 0.5}, (200, 400, 800), 16, (100, 200), 8),
        Trial("tasks", RELATED, (SIZE,), 8, (SIZE,), 4, observables=("error_transferred", "error_random", "gain")),
    ),
)
