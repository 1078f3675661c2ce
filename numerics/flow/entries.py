"""What flows share in compiled form, for numerics.build: the integrator, factors of covariances and their inverses."""

from numba import types

from numerics.flow.compile import SHARED
from numerics.flow.march import march
from numerics.flow.support import factor, inverse

_FOUR = types.int64(types.int64, types.int64, types.int64, types.int64)
_SIGNATURES = (types.int64(types.int64, types.float64), _FOUR, _FOUR)
ENTRIES = {name: pair for name, *pair in zip(SHARED, (march, factor, inverse), _SIGNATURES, strict=True)}
