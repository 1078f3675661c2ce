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
# # Probing transfer learning
#
# Two tasks on correlated hidden manifolds.  A network learns the first; a head on its frozen layer learns the second.

# %%
import os

from IPython.display import display

from replica.papers import papers
from simulate.reproduce import reproduce

paper = papers()["transfer"]
print(paper.citation)

# %% [markdown]
# ## What is declared
# Specs state laws, never equations.

# %%
for spec in paper.specs.values():
    print(spec)

# %% [markdown]
# ## What the engine derives
# The random map is theory alone.  Of the trained layer the theory takes the spectrum from a few small networks, trained on the spot.
# Set `REPLICA_FAST=1` for few points and small systems (this is what the tests do).

# %%
outcome = reproduce(paper, fast=bool(os.environ.get("REPLICA_FAST")))
for theory in outcome.theories.derived().values():
    print(theory.name)
    display(theory)

# %% [markdown]
# ## Transferred against random features
# Close tasks: the transferred layer is ahead, most with few samples of the target.

# %%
outcome.figure("samples")

# %% [markdown]
# ## How related must tasks be?
# The gain falls with the overlap of the rules.  Where they overlap by 0.3, many samples turn it into a loss; where nothing overlaps,
# features that know nothing beat features that know the wrong thing.

# %%
outcome.figure("relation")

# %% [markdown]
# ## Too few samples for the features

# %%
outcome.figure("peak")

# %% [markdown]
# ## What agrees, and what is not checked

# %%
print(outcome)
