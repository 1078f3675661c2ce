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
# # Bias-inducing geometries
#
# Two groups, their rules and their sizes; one student, or one for each group.

# %%
import os

from IPython.display import display

from replica.papers import papers
from simulate.reproduce import reproduce

paper = papers()["bias_inducing_geometries"]
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
# ## Accuracy and representation
# The share of the majority is swept; the rules stay.

# %%
outcome.figure("accuracy")

# %% [markdown]
# ## Criteria of fairness
# A weight of the minority in the loss moves them, not all in one direction.

# %%
outcome.figure("weights")

# %% [markdown]
# ## One student per group
# Held together by a spring.

# %%
outcome.figure("spring")

# %% [markdown]
# ## What agrees, and what is not checked
# Two coupled students beat every weighted one where the rules of the groups are unrelated. At the default point, where they are alike, one
# weighted student is better for both groups.

# %%
print(outcome)
