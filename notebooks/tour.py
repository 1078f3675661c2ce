# ---
# jupyter:
#   jupytext:
#     formats: py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A tour: from a declaration to a verdict
#
# One model goes through the whole pipeline: declared, derived, solved, trained at finite size, compared.
# Set `REPLICA_FAST=1` to run the cells with small systems (this is what the tests do).

# %%
import os

import numpy as np

from numerics.certify import certify
from numerics.compile import compile_theory
from numerics.solve import solve
from numerics.sweep import sweep
from replica import channels, losses, priors, protocols, regularizers
from replica.derive import derive
from replica.spec import Control, Run, Spec, Student, Teacher, load
from replica.spec.conventions import conventions
from simulate.plot import plot
from simulate.report import validate

FAST = bool(os.environ.get("REPLICA_FAST"))
SIZES, SEEDS = ((60, 120), 12) if FAST else ((250, 500, 1000), 32)

# %% [markdown]
# ## Declare
# A spec states laws: who generated the data, who learns from it, how. Ingredients are frozen records, their parameters are
# numbers or expressions of controls, and any of them may be a formula. A spec never states an equation.

# %%
spec = Spec(
    name="a smooth margin loss and a sparse teacher",
    teacher=Teacher(prior=priors.GaussBernoulli(rho="rho"), channel=channels.Sign()),
    student=Student(protocol=protocols.ERM(), loss=losses.Formula("log(1 + exp(-y*z))"), regularizer=regularizers.Ridge("lambda")),
    controls={
        "alpha": Control(value=2.0, domain="(0, inf)", meaning="samples per dimension"),
        "lambda": Control(value=0.1, domain="(0, inf)", meaning="ridge strength"),
        "rho": Control(value=0.5, domain="(0, 1]", meaning="fraction of non-zero weights"),
    },
    run=Run(sweep={"alpha": "0.2:6:30"}, sizes=list(SIZES), seeds=SEEDS),
)
print(spec.to_toml())

# %% [markdown]
# The same thing as a file. What a reader of the file cannot see is printed by the conventions: factors of 1/2, sums against
# means, the meaning of `alpha`.

# %%
print("\n".join(conventions(spec)))

# %% [markdown]
# ## Derive
# Each step of the replica calculation with the assumption it needs.

# %%
theory = derive(spec)
print(theory.text(steps=True))

# %%
for unknown, equation in zip(theory.system.unknowns, theory.system.equations, strict=True):
    print(unknown.name, "=", equation, f"    ({unknown.meaning})")

# %% [markdown]
# ## Solve
# The theory is compiled to kernels that return residual, exact Jacobian, control derivatives and observables in one pass. All
# fixed points that are found come back, the thermodynamic one first, each with its status, residual and quadrature error.

# %%
module = compile_theory(theory)
best = solve(module, {"alpha": 2.0})[0]
best

# %%
curve = sweep(module, {"alpha": np.linspace(0.2, 6, 30)})
curve

# %% [markdown]
# ## Simulate and compare
# Finite systems are drawn from the spec and trained to the optimum; they never see the equations above.

# %%
report = validate(spec, {"alpha": 2.0})
print(report)

# %%
plot(curve, report)

# %% [markdown]
# ## A first-order transition
# A binary perceptron that learns from a binary teacher has two solutions; the free entropy says which one rules.

# %%
binary = load("bayes_binary")
binary_module = compile_theory(derive(binary))
for alpha in (1.1, 1.3):
    for found in solve(binary_module, {"alpha": alpha}):
        print(alpha, found.status.name, found.free_entropy, dict(found.order_parameters))

# %% [markdown]
# ## Digits
# The double-precision solution is polished in arbitrary precision; `agreement` says how many digits both share.

# %%
perceptron = compile_theory(derive(load("bayes_sign")))
certified = certify(perceptron, solve(perceptron, {"alpha": 2.0})[0], digits=30)
print(certified["q"], certified.agreement)
