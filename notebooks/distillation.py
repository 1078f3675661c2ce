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
# # Inheriting the regularization
#
# A small network learns from the outputs of a larger one on the same samples: two stages of one spec, the second sees the first.

# %%
import os

from IPython.display import display

from replica.papers import papers
from simulate.reproduce import reproduce

paper = papers()["distillation"]
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
# ## The student's own penalty
# On the labels it needs one; on the outputs of a good teacher it does not.

# %%
outcome.figure("penalty")

# %% [markdown]
# ## The student follows its teacher
# Without a penalty of its own it is as good as the teacher's choice.

# %%
outcome.figure("teacher")

# %% [markdown]
# ## What agrees, and what is not checked
# Dropping the response of the teacher to the shared samples would give an overlap of 0.2368 in the place of 0.3253.

# %%
print(outcome)
