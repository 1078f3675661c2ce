"""The published points of structured problems as specs: what each reference entry declares, and which measured quantity each number is."""

from __future__ import annotations

import json
from pathlib import Path

from replica.spec import Spec

ENTRIES = json.loads((Path(__file__).parents[1] / "reference" / "structured_values.json").read_text())["entries"]

_HEAD = 'format = 1\nname = "{name}"\n'
_STUDENT = """
[student]
protocol = "erm"
loss = {loss}
regularizer = {{ kind = "ridge", strength = {lam} }}
network = {{ kind = "linear", bias = {bias} }}
"""
_LINE = '{{ kind = "{kind}" }}'


def number(value) -> str:
    return repr(float(value))


def _clouds(s):
    return f"""
[latent.centroid]
prior = "gaussian"
[group.plus]
share = {number(s["rho"])}
mean = {{ centroid = 1 }}
label = 1
[group.minus]
share = {number(1 - s["rho"])}
mean = {{ centroid = -1 }}
label = -1
[data]
alpha = {number(s["alpha"])}
variance = {number(s["Delta"])}
"""


def _mixture(s):
    text = (
        _HEAD.format(name="mixture")
        + _clouds(s)
        + _STUDENT.format(loss=f'"{s["loss"]}"', lam=number(s["lam"]), bias=str(s["bias"]).lower())
    )
    names = {"eg": "generalization_error", "m": "m", "q": "q", "train_loss": "training_loss"}
    return text, names | ({"b": "bias"} if s["bias"] else {})


def _groups(s):
    return f"""
[latent.centroid]
prior = "gaussian"
[latent.rule_p]
prior = "gaussian"
overlap = {{ centroid = {number(s["mTp"])} }}
[latent.rule_m]
prior = "gaussian"
overlap = {{ centroid = {number(s["mTm"])}, rule_p = {number(s["qT"])} }}
[group.p]
share = {number(s["rho"])}
mean = {{ centroid = 1 }}
variance = {number(s["Dp"])}
label = {{ of = "rule_p", channel = "sign" }}
[group.m]
share = {number(1 - s["rho"])}
mean = {{ centroid = -1 }}
variance = {number(s["Dm"])}
label = {{ of = "rule_m", channel = "sign" }}
[data]
alpha = {number(s["alpha"])}
"""


_RATES = """
[observables]
acc_p = { average = "heaviside(y*z)", on = "p" }
acc_m = { average = "heaviside(y*z)", on = "m" }
acc = { average = "heaviside(y*z)" }
ppos_p = { average = "heaviside(z)", on = "p" }
ppos_m = { average = "heaviside(z)", on = "m" }
tpr_p = { average = "heaviside(z)", on = "p", given = "y > 0" }
tpr_m = { average = "heaviside(z)", on = "m", given = "y > 0" }
ppv_p = { average = "heaviside(y)", on = "p", given = "z > 0" }
ppv_m = { average = "heaviside(y)", on = "m", given = "z > 0" }
"""


def _teacher_mixture(s):
    weights = s["weights"] or {}
    factors = {"p": weights.get("c+1y+1", 1), "m": weights.get("c-1y+1", 1)}
    loss = f'{{ kind = "{s["loss"]}", weights = {{ p = {number(factors["p"])}, m = {number(factors["m"])} }} }}'
    student = _STUDENT.format(loss=loss, lam=number(s["lam"]), bias="true")
    own = {"m": "m[student,centroid]", "Rp": "m[student,rule_p]", "Rm": "m[student,rule_m]", "q": "q", "b": "bias"}
    rates = ("acc_p", "acc_m", "acc", "ppos_p", "ppos_m", "tpr_p", "tpr_m", "ppv_p", "ppv_m")
    return _HEAD.format(name="teacher mixture") + _groups(s) + student + _RATES, own | {name: name for name in rates}


def _coupled(s):
    expert = f"""
[learner.P]
on = "p"
protocol = "erm"
loss = "{s["loss"]}"
regularizer = {{ kind = "ridge", strength = {number(s["lam"])} }}
network = {{ kind = "linear", bias = true }}
[learner.M]
like = "P"
on = "m"
couple = {{ to = "P", strength = {number(s["gamma"])} }}
[observables]
acc_p = {{ average = "heaviside(y*z_P)", on = "p" }}
acc_m = {{ average = "heaviside(y*z_M)", on = "m" }}
"""
    names = {
        "mP": "m[P,centroid]",
        "mM": "m[M,centroid]",
        "RPp": "m[P,rule_p]",
        "RMm": "m[M,rule_m]",
        "qPP": "q[P,P]",
        "qMM": "q[M,M]",
        "qPM": "q[P,M]",
        "bP": "bias[P]",
        "bM": "bias[M]",
        "acc_p": "acc_p",
        "acc_m": "acc_m",
    }
    return _HEAD.format(name="coupled students") + _groups(s) + expert, names


def _features(s, inputs):
    law = '{ kind = "iid", entries = "binary" }' if inputs == "boolean" else '"gaussian"'
    ratio = s["n_over_D"] * s["N_over_n"]
    text = (
        _HEAD.format(name="random features")
        + f"""
[teacher]
prior = "gaussian"
channel = "sign"
[data]
law = {law}
alpha = {number(s["n_over_D"])}
[student]
protocol = "erm"
loss = "{s["loss"]}"
regularizer = {{ kind = "ridge", strength = {number(s["lam"])} }}
network = {{ kind = "random_features", ratio = {number(ratio)}, activation = "{s["act"]}" }}
[observables]
bmd = {{ kind = "boolean_mean_dimension", of = "student" }}
"""
    )
    names = {"eg": "generalization_error", "qw": "q", "qs": "q_s", "train_loss": "training_loss"}
    return text, names | ({"bmd": "bmd"} if inputs == "boolean" else {})


def _curriculum(s):
    first, second = s["lam"]
    blocks = f"""
[block.relevant]
fraction = {number(s["rho"])}
[block.irrelevant]
fraction = {number(1 - s["rho"])}
[teacher]
prior = "gaussian"
blocks = ["relevant"]
channel = "sign"
[slice.easy]
alpha = {number(s["alpha1"])}
variance = {{ relevant = 1, irrelevant = {number(s["Delta_easy"])} }}
[slice.hard]
alpha = {number(s["alpha2"])}
variance = {{ relevant = 1, irrelevant = {number(s["Delta_hard"])} }}
[student]
protocol = "erm"
loss = "{s["loss"]}"
regularizer = {{ kind = "ridge", strength = {number(first)} }}
[observables]
easy = {{ average = "heaviside(-y*z)", on = "easy" }}
hard = {{ average = "heaviside(-y*z)", on = "hard" }}
"""
    if s["protocol"] == "joint":
        names = {"m1": "m[student@relevant,teacher]", "qr1": "q[student@relevant]", "qi1": "q[student@irrelevant]"}
        return _HEAD.format(name="joint") + blocks, names | {"eg_easy1": "easy", "eg_hard1": "hard"}
    stages = f"""
[[stage]]
name = "one"
on = "easy"
[[stage]]
name = "two"
on = "hard"
regularizer = {{ kind = "ridge", strength = {number(second)} }}
couple = {{ to = "one", strength = {number(s["gamma"])} }}
"""
    names = {"eg_easy2": "easy", "eg_hard2": "hard", "eg_hard1": "generalization_error[student@one]"}
    for index, stage in ((1, "one"), (2, "two")):
        relevant, other = f"student@{stage}@relevant", f"student@{stage}@irrelevant"
        names |= {f"m{index}": f"m[{relevant},teacher]", f"qr{index}": f"q[{relevant},{relevant}]", f"qi{index}": f"q[{other},{other}]"}
    return _HEAD.format(name="curriculum") + blocks + stages, names


def _distillation(s):
    text = (
        _HEAD.format(name="distillation")
        + f"""
[block.kept]
fraction = {number(s["eta"])}
[block.pruned]
fraction = {number(1 - s["eta"])}
{_clouds(s)}
[learner.large]
protocol = "erm"
network = {{ kind = "linear", bias = true }}
loss = "logistic"
regularizer = {{ kind = "ridge", strength = {number(s["lam1"])} }}
[learner.small]
like = "large"
blocks = ["kept"]
loss = {{ formula = "(1 - {s["chi"]})*log(1 + exp(-y*z)) + {s["chi"]}*(log(1 + exp(z/T)) - sigmoid(z_large/T)*z/T)" }}
regularizer = {{ kind = "ridge", strength = {number(s["lam2"])} }}
[[stage]]
name = "pretrain"
learners = "large"
[[stage]]
name = "distill"
learners = "small"
[controls]
T = {{ value = {number(s["T"])}, domain = "(0, inf)" }}
"""
    )
    names = {
        "m1": "m[large,centroid]",
        "q11": "q[large,large]",
        "b1": "bias[large]",
        "m2": "m[small,centroid]",
        "q22": "q[small,small]",
        "q12": "q[large,small]",
        "b2": "bias[small]",
        "eg_teacher": "generalization_error[large]",
        "eg_student": "generalization_error[small]",
    }
    return text, names


def _transfer(s):
    """The random map only: the other one is a network that was trained by somebody else."""
    text = (
        _HEAD.format(name="random map")
        + f"""
[latent.F]
prior = "gaussian"
shape = "matrix"
[latent.rule]
prior = "gaussian"
[data]
law = {{ kind = "hidden_manifold", map = "F", latent_ratio = {number(s["D"] / s["N"])}, activation = "{s["act"]}" }}
alpha = {number(s["alpha_n_over_P"] * s["P"] / s["N"])}
label = {{ of = "rule", channel = "sign" }}
[student]
protocol = "erm"
loss = "{s["loss"]}"
regularizer = {{ kind = "ridge", strength = {number(s["lam"])} }}
network = {{ kind = "random_features", ratio = {number(s["P"] / s["N"])}, activation = "{s["act"]}" }}
"""
    )
    return text, {"eg": "generalization_error", "Q": "field_variance", "M": "field_overlap"}


def problem(entry) -> tuple[Spec, dict[str, str], int]:
    """The spec of an entry, reference name -> measured name, and the size d of the published simulation."""
    s, group = entry["settings"], entry["group"]
    made = {
        "i_gmm": _mixture,
        "ii_teacher_mixture": _teacher_mixture,
        "ii_tm_coupled": _coupled,
        "v_curriculum": _curriculum,
        "iv_kd": _distillation,
        "vii_chmm_transfer": _transfer,
    }
    published = entry["sim_settings"]
    if group in made:
        text, names = made[group](s)
        return Spec.from_toml(text), names, published.get("d", s.get("N"))
    text, names = _features(s, published["inputs"])
    return Spec.from_toml(text), names, published["D"]
