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
# # Curriculum learning, every sample seen once
#
# Some inputs matter and the others are noise; how strong the noise is makes a sample easy or hard. Does it help to see the easy samples
# first?

# %%
import os

from IPython.display import display

from replica.papers import papers
from simulate.reproduce import reproduce

paper = papers()["curriculum_online"]
print(paper.citation)

# %% [markdown]
# ## What is declared
# Blocks of inputs, slices of the data, stages of training. Another order is another list of stages.

# %%
print(paper.specs["curriculum"])

# %% [markdown]
# ## What the engine derives
# Set `REPLICA_FAST=1` for small systems (this is what the tests do).

# %%
outcome = reproduce(paper, fast=bool(os.environ.get("REPLICA_FAST")))
display(outcome.theories.derived()["curriculum"])

# %% [markdown]
# ## Accuracy on hard data
# Easy samples teach the rule faster and are no lesson in forgetting the noise; hard ones are both.

# %%
outcome.figure("accuracy")

# %% [markdown]
# ## Finite systems
# Overlap with the teacher; runs never see the equations.

# %%
outcome.figure("overlap")

# %% [markdown]
# ## What the order is worth
# It helps where samples are few and the rule is sparse; the gain shrinks with the budget and changes sign.

# %%
outcome.figure("gain")

# %% [markdown]
# ## Claims

# %%
print(outcome)
