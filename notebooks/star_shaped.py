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
# # A star-shaped space of solutions
#
# Solutions of the spherical perceptron with a negative margin: two typical ones are separated by a barrier, while robust ones see all.

# %%
import os

from IPython.display import display

from replica.papers import papers
from simulate.reproduce import reproduce

paper = papers()["star_shaped"]
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
# ## Barriers
# Errors on the geodesic from a typical solution to a more robust one.

# %%
outcome.figure("barrier")

# %% [markdown]
# ## The kernel of the star
# The margin from which a solution sees every typical one without a barrier.

# %%
outcome.figure("star")

# %% [markdown]
# ## Overlap
# Of two typical solutions, up to where replica symmetry breaks.

# %%
outcome.figure("overlap")

# %% [markdown]
# ## What agrees, and what is not checked
# The numbers are an own derivation under replica symmetry; they were not compared with the paper's text.

# %%
print(outcome)
