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
# # Robust ensembles
#
# Several real replicas of a learner around a center: the center's measure favors regions where solutions are dense.

# %%
import os

from IPython.display import display

from replica.papers import papers
from simulate.reproduce import reproduce

paper = papers()["robust_ensemble"]
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
# ## Local entropy
# More replicas find denser regions.

# %%
outcome.figure("local_entropy")

# %% [markdown]
# ## How many centers there are
# Where the complexity of the centers turns negative there are none.

# %%
outcome.figure("complexity")

# %% [markdown]
# ## What copies solve
# Annealing and gradient descent of copies that gather around a center solve what one copy does not, at the same cost.

# %%
outcome.figure("solved")

# %% [markdown]
# The table behind such a figure is one call, with errors and the time to a solution, for any algorithms.

# %%
from replica.spec import load
from simulate.success import Search, success

searches = {"one copy": Search("replicated_sgd", {"y": 1, "steps": 700}), "seven copies": Search("replicated_sgd", {"steps": 100})}
table = success(load("binary_storage"), searches, {"alpha": [0.3, 0.5]}, [101], 6)
print(table)
table.plot()

# %% [markdown]
# ## What agrees, and what is not checked
# The theory is that of the binary perceptron; committees are only searched.

# %%
print(outcome)
