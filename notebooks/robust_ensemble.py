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
# ## What agrees, and what is not checked
# The theory side for the binary perceptron is here; committees and algorithms are not.

# %%
print(outcome)
