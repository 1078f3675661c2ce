"""Slow motion of stochastic gradient descent in a fixed dimension: what its noise does on the manifold of minima."""
