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
# # Curriculum learning, batch
#
# Easy samples first, hard ones later, with a spring to what the first stage left.

# %%
import os

from IPython.display import display

from replica.papers import papers
from simulate.reproduce import reproduce

paper = papers()["curriculum_batch"]
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
# ## The spring
# Without it the first stage is forgotten; too strong, the second stage cannot learn.

# %%
outcome.figure("spring")

# %% [markdown]
# ## How many inputs matter
# The gain over training on everything at once.

# %%
outcome.figure("sparsity")

# %% [markdown]
# ## What agrees, and what is not checked
# The order of the three ways of training at one setting; the paper's own parameters are not known here.

# %%
print(outcome)
