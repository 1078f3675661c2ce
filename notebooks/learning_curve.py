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
# # Will more samples help?
#
# The learning curve of a data set of your own. The theory reads how the features vary and how the two classes lie in them, and predicts
# test and training errors for any number of samples; scikit-learn, trained on random subsamples, is the check.

# %%
import os

from IPython.display import display
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits

from simulate.learning_curve import learning_curve
from simulate.learning_curve.features import RandomFeatures

fast = bool(os.environ.get("REPLICA_FAST"))
seeds = 2 if fast else 10
digits, tumors = load_digits(), load_breast_cancer()

# %% [markdown]
# ## Odd against even digits
# Pixels as they are. `strength` is `1/C` of `LogisticRegression`.

# %%
parity = digits.target % 2
raw = learning_curve(digits.data, parity, strength=10.0, seeds=seeds)
print(raw)
display(raw.figure())

# %% [markdown]
# ## The same through random features
# Any scikit-learn transformer will do; this one is tanh of random projections. With many samples it beats the pixels.

# %%
featured = learning_curve(digits.data, parity, features=RandomFeatures(200), strength=1.0, seeds=seeds)
print(featured)
display(featured.figure())

# %% [markdown]
# ## Breast cancer
# Thirty features that are far from Gaussian: the trend is right, the level is not, and the last line of the table says so.

# %%
cancer = learning_curve(tumors.data, tumors.target, standardize=True, seeds=seeds)
print(cancer)
display(cancer.figure())

# %% [markdown]
# ## Numbers instead of classes
# Progression of diabetes, with square and with Huber's loss; errors are parts of the variance of the labels.

# %%
progress = load_diabetes()
for loss in ("square", "huber"):
    print(learning_curve(progress.data, progress.target, regression=True, loss=loss, strength=1e-3, seeds=seeds), "\n")

# %% [markdown]
# ## What it supposes
# Two laws of classes are known, and the likelier one is taken: each class a Gaussian cloud, both with one covariance; or Gaussian features
# and the sign of a linear field plus noise. Both have the means and the covariance of the data. The spectrum is reduced to sixteen nodes
# by Gauss quadrature.

# %%
print(featured.law, f"{featured.prediction.quadrature:.0e}")
featured.to_xarray()
