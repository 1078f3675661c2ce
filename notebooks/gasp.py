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
# # Generalized approximate survey propagation
#
# Message passing for an estimator that does not know the prior, built on replica symmetry (GAMP) and on one step of replica symmetry
# breaking (GASP), for phase retrieval.

# %%
import os

from IPython.display import display

from replica.papers import papers
from simulate.reproduce import reproduce

paper = papers()["gasp"]
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
# ## What state evolution recovers
# The signal is found above a threshold that the Parisi parameter lowers.

# %%
outcome.figure("overlap")

# %% [markdown]
# ## The Bayes-optimal algorithm
# The branch that an uninformed start follows, up to where it ends.

# %%
outcome.figure("bayes")

# %% [markdown]
# ## What agrees, and what is not checked
# Thresholds of the mismatched algorithms come from an independent program.

# %%
print(outcome)
