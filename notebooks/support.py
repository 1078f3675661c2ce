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
# # Learning the support
#
# Small batches turn off the inputs that labels do not depend on.  The law of two linear layers is derived, and beside it stands the setting
# of the paper's notebook, where something else does most of the work.

# %%
import os

from IPython.display import display

from replica.papers import papers
from simulate.reproduce import reproduce

paper = papers()["support"]
print(paper.citation)

# %% [markdown]
# ## What is declared
# Rate, batch, label noise, clipping and drawing with or without replacement are fields of the spec.

# %%
for spec in paper.specs.values():
    print(spec)

# %% [markdown]
# ## What the engine derives
# An exact identity for one step, the modified loss and its slopes, and the floor of the fluctuations.
# Set `REPLICA_FAST=1` for few points and small systems (this is what the tests do).

# %%
outcome = reproduce(paper, fast=bool(os.environ.get("REPLICA_FAST")))
for theory in outcome.theories.derived().values():
    print(theory.text(steps=True))
    display(theory)

# %% [markdown]
# ## Irrelevant weights decay
# As exp(-rate^2 variance steps/(2 batch)), down to a floor; the law is the lowest order in the rate.

# %%
outcome.figure("decay")

# %% [markdown]
# ## Without label noise they stay

# %%
outcome.figure("noise")

# %% [markdown]
# ## The paper's own setting
# Four layers, labels nearly without noise, gradients cut at norm 1.  With a rate ten times smaller nothing happens: the error that a large,
# clipped rate keeps up plays the part of the label noise.

# %%
outcome.figure("own")

# %% [markdown]
# ## What agrees, and what is not checked

# %%
print(outcome)
