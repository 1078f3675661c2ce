"""What the compiled solver offers, for numerics.build."""

from numba import types

from numerics.methods.inspect import inspect
from numerics.methods.march import march
from numerics.methods.recur import recur
from numerics.solver import ENTRIES as NAMES

_TABLE = types.int64(types.int64, types.float64)
ENTRIES = {name: (function, _TABLE) for name, function in zip(NAMES, (march, inspect, recur), strict=True)}
