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
# # The soft committee machine and its plateau
#
# A student of K units learns a teacher of M units, one sample at a time. In high dimension the overlaps of its weights with each other
# and with the teacher obey closed equations. The student first learns what the units of the teacher have in common, and rests on a
# plateau; it leaves when small differences between its units have grown.

# %%
import os

from IPython.display import display

from replica.papers import papers
from simulate.reproduce import reproduce

paper = papers()["committee_machine"]
print(paper.citation)

# %% [markdown]
# ## What is declared
# Specs state laws, never equations.

# %%
print(paper.specs["two"])

# %% [markdown]
# ## What the engine derives
# For any number of units: sums over units of a few Gaussian moments, each derived once. Set `REPLICA_FAST=1` for small systems (this is
# what the tests do).

# %%
outcome = reproduce(paper, fast=bool(os.environ.get("REPLICA_FAST")))
display(outcome.theories.derived()["two"])

# %% [markdown]
# ## A run
# Learning rate 0.2, from the start of the reference solution, and from drawn weights.

# %%
outcome.figure("error")

# %% [markdown]
# ## The plateau
# Three units learn three. On the plateau all overlaps with the teacher are alike; then each unit finds its own.

# %%
outcome.figure("overlaps")

# %%
outcome.figure("plateau")

# %% [markdown]
# ## Escape
# The plateau is a saddle. The time of escape is the logarithm of how alike the units begin, divided by the largest rate of growth,
# and in units of 1/eta it does not depend on small learning rates.

# %%
outcome.figure("escape")

# %% [markdown]
# ## Label noise
# What noise leaves is proportional to the learning rate, and redundant units raise it.

# %%
outcome.figure("noise")

# %% [markdown]
# ## Finite systems
# Runs never see the equations.

# %%
outcome.figure("runs")

# %% [markdown]
# ## Claims

# %%
print(outcome)
