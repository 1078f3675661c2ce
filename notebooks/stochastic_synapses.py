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
# # Stochastic synapses
#
# A binary synapse as a coin with a trained bias. The bias is a weight on [-1, 1], its mean square is held at `q_star`,
# and the loss is minus the log-probability of a right answer.

# %%
import os

from IPython.display import display

from replica.papers import papers
from simulate.reproduce import reproduce

paper = papers()["stochastic_synapses"]
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
# ## Overlap
# How alike two draws of the biases are.

# %%
outcome.figure("overlap")

# %% [markdown]
# ## Free entropy
# Of the biases at two temperatures.

# %%
outcome.figure("free_entropy")

# %% [markdown]
# ## Learning a rule
# Generalization error as the biases are driven to certainty.

# %%
outcome.figure("generalization")

# %% [markdown]
# ## Zero temperature
# The limit is taken in the equations, before anything is integrated.

# %%
outcome.figure("ground_state")

# %% [markdown]
# ## The algorithm
# Gradient steps on the biases, which are driven to certainty: the energy stays near the least one of the theory until its symmetric
# solution is no longer stable. The signs of the biases are the solution.

# %%
outcome.figure("path")

# %% [markdown]
# ## Deep networks
# Weights and hidden units are signs. Trained biases, with Gaussian fields carried from layer to layer, beside steps that pass the
# signs as if they were not there; means over ten cuts of the data and their standard errors.

# %%
outcome.figure("digits")

# %% [markdown]
# ## What agrees, and what is not checked
# Local entropy around the rounded biases needs a probe on a function of the weights.

# %%
print(outcome)
