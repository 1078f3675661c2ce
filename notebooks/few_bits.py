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
# # Few bits of synaptic precision
#
# The capacity of a perceptron whose synapses take a few values: the load at which the entropy of the solutions vanishes. It is an
# inverse problem, and the spec says so: `alpha = { solve = "entropy = 0" }`.

# %%
import os

from IPython.display import display

from replica.papers import papers
from simulate.reproduce import reproduce

paper = papers()["few_bits"]
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
# ## Capacity
# Few levels are enough to come close to the continuum, 1 for weights of one sign and 2 for free ones.

# %%
outcome.figure("capacity")

# %% [markdown]
# ## Entropy
# Of the solutions with levels -1, 0, 1, down to the capacity.

# %%
outcome.figure("entropy")

# %% [markdown]
# ## Dense clusters
# Real replicas gathered around a center, which itself need not be a solution.

# %%
outcome.figure("dense")

# %% [markdown]
# ## A simple rule
# A hidden state behind every synapse remembers how sure it is. With a third level the rule goes further.

# %%
outcome.figure("rule")

# %% [markdown]
# ## What agrees, and what is not checked
# A threshold at its best value leaves nothing of the mean of the weights, so that centered inputs without a threshold give the same
# capacities; sparse patterns would need more.

# %%
print(outcome)
