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
# # Twin peaks
#
# Regression on random features through their Gaussian equivalents: the spectrum of the features is the law of Marchenko and Pastur.

# %%
import os

from IPython.display import display

from replica.papers import papers
from simulate.reproduce import reproduce

paper = papers()["twin_peaks"]
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
# ## Mean dimension
# How many inputs act together in the trained function.

# %%
outcome.figure("dimension")

# %% [markdown]
# ## Test error
# The same peak, where features are as many as samples.

# %%
outcome.figure("error")

# %% [markdown]
# ## What agrees, and what is not checked
# Statements on deep networks need simulations of their own.

# %%
print(outcome)
