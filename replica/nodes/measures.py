"""What an average runs over.  Each measure binds its variables, which are unique Dummies."""

from __future__ import annotations

import sympy as sp


class Measure(sp.Basic):
    """A measure over `variables`; `parameters` are the free expressions it depends on."""

    @property
    def variables(self) -> tuple[sp.Symbol, ...]:
        return tuple(self.args[0]) if isinstance(self.args[0], sp.Tuple) else (self.args[0],)

    @property
    def parameters(self) -> sp.Tuple:
        return sp.Tuple(*self.args[1:])

    @property
    def free_symbols(self):
        return self.parameters.free_symbols - set(self.variables)


class Gauss(Measure):
    """Normal law of the fields `variables` with `means` and `covariance` (possibly singular).  Normalised.

    The variables are the fields themselves, not standard normals, so that a derivative with respect to a parent's
    field is a derivative of the mean.
    """

    def __new__(cls, variables, means, covariance):
        return sp.Basic.__new__(cls, sp.Tuple(*variables), sp.Tuple(*means), sp.ImmutableDenseMatrix(covariance))

    @property
    def means(self) -> sp.Tuple:
        return self.args[1]

    @property
    def covariance(self) -> sp.ImmutableDenseMatrix:
        return self.args[2]


class Discrete(Measure):
    """Sum over `atoms` of one variable with weights exp(log_weights): labels, classes, mixture components."""

    def __new__(cls, variable, atoms, log_weights=None):
        atoms = sp.Tuple(*atoms)
        return sp.Basic.__new__(cls, variable, atoms, sp.Tuple(*(log_weights or [sp.S.Zero] * len(atoms))))

    @property
    def atoms_(self) -> sp.Tuple:
        return self.args[1]

    @property
    def log_weights(self) -> sp.Tuple:
        return self.args[2]


class Flat(Measure):
    """Lebesgue measure on [lower, upper], ends possibly infinite: its density stands in the integrand.

    `breaks` are interior points where the integrand is not smooth.
    """

    def __new__(cls, variable, lower, upper, breaks=()):
        return sp.Basic.__new__(cls, variable, sp.sympify(lower), sp.sympify(upper), sp.Tuple(*breaks))

    @property
    def lower(self) -> sp.Expr:
        return self.args[1]

    @property
    def upper(self) -> sp.Expr:
        return self.args[2]

    @property
    def breaks(self) -> sp.Tuple:
        return self.args[3]


class Counting(Measure):
    """Sum over 0, 1, 2, ... with unit weights: counts."""

    def __new__(cls, variable):
        return sp.Basic.__new__(cls, variable)
