"""How finite systems are solved: every file of this folder is an algorithm under its own name, imported when it is wanted.

A file holds one subclass of `simulate.iteration.Algorithm`; its options are those of the record of the same kind in `replica.algorithms`.
Specs that it does not take go to the function `solve` of the file, if there is one.
Algorithms may use the scalar functions of a theory.  The others, which never see a derived equation, stand elsewhere and have a function
`train(instances, learner, device)`, an Estimate per instance of one learner, or `solve(instances, device, options)`, an Outcome each;
those that are followed in time have `paths(spec, at, d, seeds, times, device)`, a Path per seed.
"""

import pkgutil

_ELSEWHERE = {
    "erm": "simulate.learn.stages",
    "monte_carlo": "simulate.learn.gibbs",
    "enumeration": "simulate.learn.enumeration",
    "gradient_descent": "simulate.learn.gradient_descent",
    "hit_and_run": "simulate.learn.hit_and_run",
    "online_sgd": "simulate.online.sgd",
    "online_autograd": "simulate.online.autograd",
    "sgd": "simulate.passes.train",
}
_HERE = {found.name: f"{__name__}.{found.name}" for found in pkgutil.iter_modules(__path__) if not found.ispkg}

ALGORITHMS = _ELSEWHERE | _HERE
"""Name -> module."""
