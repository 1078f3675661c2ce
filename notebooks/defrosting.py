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
# # Incremental layer defrosting
#
# A deep network learns one task; its first layers are copied and frozen, the others learn another task from there.  How many to freeze?

# %%
import os

from IPython.display import display

from replica.papers import papers
from simulate.reproduce import reproduce

paper = papers()["defrosting"]
print(paper.citation)

# %% [markdown]
# ## What is declared
# Specs state laws, never equations.

# %%
for spec in paper.specs.values():
    print(spec)

# %% [markdown]
# ## What the engine derives
# Only the network that is frozen but for its head has a theory, given how its features vary; all other depths are trained.
# Set `REPLICA_FAST=1` for few points and small systems (this is what the tests do).

# %%
outcome = reproduce(paper, fast=bool(os.environ.get("REPLICA_FAST")))
for theory in outcome.theories.derived().values():
    print(theory.name)
    display(theory)

# %% [markdown]
# ## Depth against samples

# %%
outcome.figure("depth")

# %% [markdown]
# ## The frozen network and its theory

# %%
outcome.figure("head")

# %% [markdown]
# ## Where the two tasks part
# Similarity of two networks, one trained on each task, layer by layer.

# %%
outcome.figure("similarity")

# %% [markdown]
# ## What agrees, and what is not checked

# %%
print(outcome)
