"""The compiled backend: kernel text to one object file with four functions that take pointers."""

from __future__ import annotations

import re

from numerics import native
from numerics.backends.llvm import assembly
from numerics.backends.mpmath_names import constants

KERNELS = ("residual", "values", "probe", "inside")


def object_code(text: str, exact_constants: tuple[str, ...]) -> bytes:
    """Machine code of the four kernels."""
    values = constants(exact_constants, 30, lambda v: v if isinstance(v, bool) else float(v))
    functions = {f[4 : f.index("(")]: f for f in re.split(r"(?m)^(?=def )", text)[1:]}
    texts = [assembly(functions[name], values, f"replica_{name}") for name in KERNELS]
    return native.object_code(texts, [f"replica_{name}" for name in KERNELS])


def kernels(code: bytes) -> tuple[native.Kernel, ...]:
    """The kernels of an object file, in the order of KERNELS."""
    addresses = native.load(code, [f"replica_{name}" for name in KERNELS])
    return tuple(native.Kernel(a, name == "probe") for a, name in zip(addresses, KERNELS, strict=True))
