"""Descent with noisy steps on samples of a fixed set, or fresh ones, in a fixed dimension.  Never sees a derived equation."""
