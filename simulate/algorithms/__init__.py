"""How finite systems are solved: one algorithm a module, with a function `solve` or `train`, imported when it is wanted.

`train(instances, learner, device)` gives an Estimate per instance and takes specs of one learner; `solve(instances, device, options)`
gives an Outcome per instance and decides itself which specs it takes.  The modules of this package share the scalar functions of a
theory by right; those of `simulate.learn` never see a derived equation.
"""

ALGORITHMS = {
    "erm": "simulate.learn.stages",
    "amp": "simulate.algorithms.amp",
    "monte_carlo": "simulate.learn.gibbs",
    "enumeration": "simulate.learn.enumeration",
    "annealing": "simulate.learn.annealing",
    "gradient_descent": "simulate.learn.gradient_descent",
    "hit_and_run": "simulate.learn.hit_and_run",
    "uncertainty_sampling": "simulate.learn.uncertainty_sampling",
    "query_by_committee": "simulate.learn.query_by_committee",
    "online_sgd": "simulate.online.runs",
}
"""Name -> module."""
