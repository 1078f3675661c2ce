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
# # Tickets, clusters and curricula
#
# Four clusters on a cross, a network of K rectified units, one pass over the data. Who wins is decided by the start; how soon, by the
# order of the samples.

# %%
import os

from IPython.display import display

from replica.papers import papers
from simulate.reproduce import reproduce

paper = papers()["lottery"]
print(paper.citation)

# %% [markdown]
# ## What is declared
# Clusters as groups, their noise as slices, the schedule as stages. Specs state laws, never equations.

# %%
print(paper.specs["growing"])

# %% [markdown]
# ## What the engine derives
# One flow for any number of units; averages run over shared nodes, since a logistic loss of rectified units has no closed moments.
# Set `REPLICA_FAST=1` for small systems (this is what the tests do).

# %%
outcome = reproduce(paper, fast=bool(os.environ.get("REPLICA_FAST")))
display(outcome.theories.derived()["growing"])

# %% [markdown]
# ## The same starts under three schedules
# Runs of finite networks have starts of their own; means over starts are what can be compared.

# %%
outcome.figure("loss")

# %% [markdown]
# ## Tickets
# A unit serves the cluster on whose side of its axis it began. K/2 units of a sign leave a cluster without a ticket with
# probability 2^(-K/2).

# %%
outcome.figure("coverage")

# %% [markdown]
# ## More units, less to gain
# Accuracy that the curriculum adds at the same budget.

# %%
outcome.figure("gain")

# %% [markdown]
# ## Noise shifts the schedules apart
# Largest differences at intermediate noise; without a curriculum learning stops first.

# %%
outcome.figure("noise")

# %% [markdown]
# ## The gain turns with the budget
# With much data the hard samples alone do better.

# %%
outcome.figure("budget")

# %% [markdown]
# ## One ticket, more and more dimensions
# The saddle at the start costs a time that grows with log d.

# %%
outcome.figure("escape")

# %% [markdown]
# ## What agrees, and what is not checked

# %%
print(outcome)
