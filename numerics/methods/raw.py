"""Addresses as numba sees them: arrays over memory of the caller, and calls of kernels that are known by address only."""

# mypy: ignore-errors

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array, populate_array

# code that numba's own optimiser leaves alone (numerics.build) and that owns no memory
JIT = {"error_model": "numpy", "nogil": True, "fastmath": {"contract", "nsz"}}
PART = JIT | {"no_cpython_wrapper": True, "no_cfunc_wrapper": True, "_nrt": False}  # never called from Python


def _array(kind, dimensions):
    """An intrinsic that makes an array of `kind` over memory at an address; only an intrinsic can return memory it does not own."""

    def build(context, builder, signature, args):
        made = signature.return_type
        array = make_array(made)(context, builder)
        width = context.get_constant(types.intp, 8)
        strides = [width]
        for size in reversed(args[2:]):
            strides.insert(0, builder.mul(strides[0], size))
        data = builder.inttoptr(args[0], array.data.type)
        populate_array(array, data=data, shape=list(args[1:]), strides=strides, itemsize=width, meminfo=None)
        return array._getvalue()

    made = types.Array(kind, dimensions, "C")
    if dimensions == 1:

        @intrinsic
        def over(context, address, n):
            return made(types.int64, types.intp), build

    elif dimensions == 2:

        @intrinsic
        def over(context, address, rows, columns):
            return made(types.int64, types.intp, types.intp), build

    else:

        @intrinsic
        def over(context, address, depth, rows, columns):
            return made(types.int64, types.intp, types.intp, types.intp), build

    return over


vector, matrix, cube = (_array(types.float64, d) for d in (1, 2, 3))
whole, whole_matrix = (_array(types.int64, d) for d in (1, 2))


def _data(context, builder, signature, args):
    return [
        context.make_array(t)(context, builder, a).data if isinstance(t, types.Array) else a
        for t, a in zip(signature.args[1:], args[1:], strict=True)
    ]


def _call(context, builder, signature, args):
    plain = _data(context, builder, signature, args)
    kind = ir.FunctionType(ir.IntType(64), [v.type for v in plain])
    return builder.call(builder.inttoptr(args[0], kind.as_pointer()), plain)


@intrinsic
def call(context, address, p, x, w, off, scr, out):
    """The kernel at `address`; see numerics.native.Kernel."""
    return types.int64(types.int64, p, x, w, off, scr, out), _call


@intrinsic
def call_numbered(context, address, l, p, x, w, off, scr, out):
    """The kernel at `address` that takes a loop's number first."""
    return types.int64(types.int64, types.int64, p, x, w, off, scr, out), _call
