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
# # Local entropy around solutions of the binary perceptron
#
# How many solutions lie at a given distance from a reference solution? The logarithm of that number, per weight, is the local
# entropy. The theory is a replica tree on which a probe stands on one copy of the reference.

# %%
import os

from IPython.display import display

from replica.papers import papers
from simulate.reproduce import reproduce

paper = papers()["local_entropy"]
print(paper.citation)

# %% [markdown]
# ## What is declared
# Specs state laws, never equations.

# %%
for spec in paper.specs.values():
    print(spec)

# %% [markdown]
# ## What the engine derives
# Set `REPLICA_FAST=1` for few points and small systems (this is what the tests do).

# %%
outcome = reproduce(paper, fast=bool(os.environ.get("REPLICA_FAST")))
for theory in outcome.theories.derived().values():
    print(theory.name)
    display(theory)

# %% [markdown]
# ## Typical solutions are isolated
# The curve reaches its top, the entropy of all solutions, where the probe forgets the reference. At small distance it turns
# negative: around a solution drawn at random there is no other one.

# %%
outcome.figure("typical")

# %% [markdown]
# ## The search that local entropy guides
# Entropy-driven Monte Carlo moves a reference to where belief propagation around it counts more solutions. It needs few moves where
# annealing, which looks at the energy, needs ever more sweeps.

# %%
outcome.figure("time")

# %% [markdown]
# One run: the reference climbs, and is flipped into a solution or becomes sure of one.

# %%
from replica.spec import load
from simulate.runs import simulate

runs = simulate(load("binary_storage"), {"alpha": 0.5}, [201], 1, "edmc", options={"share": 0.1})
(record,) = runs.records.values()
print(record.status, record.steps, "moves")
print({name: values[[0, -1]] for name, values in record.history.items()})

# %% [markdown]
# ## The same search on random satisfiability
# Only the messages are others. The checker below knows nothing but what a clause is; solutions are counted around the one that was
# found, and the weights that can be turned alone.

# %%
outcome.figure("formulas")

# %%
from itertools import pairwise

from simulate.local_entropy import stability

kept = []
options = {"sweeps": 20, "steps": 40, "restarts": 9}
runs = simulate(load("random_ksat"), {"alpha": 4.0}, [300], [1], "edmc", options=options, watch=lambda *found: kept.append(found))
print(runs.records[300, 1].status)
for instance, found in kept:
    weights = found.estimates["student"].mean
    literal, clause = instance.arrays["literal"], instance.arrays["clause"]
    right = (weights[abs(literal) - 1] * literal > 0).tolist()
    print(all(any(right[a:b]) for a, b in pairwise(clause)), "over", len(clause) - 1, "clauses")
    around = stability(instance, weights, [0.01, 0.02, 0.04])
    print("local entropy", around.entropy, "violated by barycenters", around.violated, "free", around.free.mean())

# %% [markdown]
# ## What agrees, and what is not checked
# The numbers on the typical curve were integrated a second time by hand. References that are chosen for their local entropy are not
# solved for, and random K-SAT, the paper's other half, lives on a sparse graph and is not treated.

# %%
print(outcome)
