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
# # Subdominant dense clusters
#
# Typical solutions of the binary perceptron are isolated, and yet learning is easy: rare regions hold as many solutions as fit.

# %%
import os

from IPython.display import display

from replica.papers import papers
from simulate.reproduce import reproduce

paper = papers()["subdominant_dense_clusters"]
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
# ## Typical solutions and dense clusters
# Local entropy around a solution drawn at random, and around centers with `y` solutions each.

# %%
outcome.figure("local_entropy")

# %% [markdown]
# ## Up to which load
# As the load grows the curve of the densest regions loses its monotonicity, then touches zero. Each of the two thresholds below is
# named by its criterion.

# %%
outcome.figure("loads")

# %% [markdown]
# ## Where algorithms end
# Simple rules and message passing store patterns in one system; belief propagation then counts the solutions around what they found.

# %%
outcome.figure("found")

# %% [markdown]
# ## What agrees, and what is not checked
# The threshold published with the paper uses another criterion than the two computed here, and no number recalled from memory is
# compared.

# %%
print(outcome)
