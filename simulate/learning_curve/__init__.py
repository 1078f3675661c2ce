"""Learning curves of a data set: test error against the number of samples, predicted from its covariance and measured by training."""

from simulate.learning_curve.curve import Curve, learning_curve
from simulate.learning_curve.table import DataError, Table, read

__all__ = ["Curve", "DataError", "Table", "learning_curve", "read"]
