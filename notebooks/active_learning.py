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
# # Active learning as a large deviation
#
# Which samples should be labelled? Selections are weighted by a power `x` of the volume of the version space that they leave.

# %%
import os

from IPython.display import display

from replica.papers import papers
from simulate.reproduce import reproduce

paper = papers()["active_learning"]
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
# ## Random selections
# The learning curves to beat.

# %%
outcome.figure("passive")

# %% [markdown]
# ## Volume
# Left by typical selections at tilt `x`.

# %%
outcome.figure("volume")

# %% [markdown]
# ## Complexity
# Log-number of such selections; where it vanishes there are none.

# %%
outcome.figure("complexity")

# %% [markdown]
# ## Error
# Of a draw from the version space.

# %%
outcome.figure("informative")

# %% [markdown]
# ## Asking for labels
# Labels are asked for twenty at a time; message passing learns from them, and counts what they leave of the version space.
# Who does not see labels can at best halve it with each: asking where message passing is unsure comes close.

# %%
outcome.figure("asked_volume")

# %%
outcome.figure("asked_error")

# %% [markdown]
# ## What agrees, and what is not checked
# Random selections are compared with finite systems in two ways: by samples of the version space, and by message passing.

# %%
print(outcome)
