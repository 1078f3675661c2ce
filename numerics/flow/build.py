"""Compiles what all flows share to an object file: `python -m numerics.flow.build FILE.o`, a process of its own, once per installation.

As in numerics.methods.build numba only types and lowers, and the optimiser runs once over the whole.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

ENTRIES = ("replica_flow", "replica_factor", "replica_inverse")


def main(path: str) -> None:
    """Write the object file."""
    os.environ["NUMBA_OPT"] = "0"
    from llvmlite import ir
    from numba import njit, types
    from numba.core.codegen import JitEngine
    from numba.core.compiler_lock import global_compiler_lock
    from numba.core.cpu import CPUContext

    JitEngine.finalize_object = lambda _: None
    CPUContext.get_executable = lambda *_: [].append  # a placeholder, new each time: nothing is run in this process
    from numerics import native
    from numerics.flow.march import march
    from numerics.flow.support import factor, inverse
    from numerics.methods.raw import PART

    integer, errors = ir.IntType(64), ir.IntType(8).as_pointer()
    kinds = {types.int64: integer, types.float64: ir.DoubleType()}
    four = types.int64(types.int64, types.int64, types.int64, types.int64)
    texts, doors = [], ir.Module()
    for name, function, signature in zip(
        ENTRIES, (march, factor, inverse), (types.int64(types.int64, types.float64), four, four), strict=True
    ):
        with global_compiler_lock:
            result = njit(signature, **PART)(function.py_func).overloads[signature.args]
            result.library.finalize()
        texts.append(result.library.get_llvm_str())
        plain = [kinds[kind] for kind in signature.args]
        inner = ir.FunctionType(ir.IntType(32), [integer.as_pointer(), errors.as_pointer(), *plain])
        target = ir.Function(doors, inner, result.fndesc.llvm_func_name)
        entry = ir.Function(doors, ir.FunctionType(integer, plain), name)
        builder = ir.IRBuilder(entry.append_basic_block())
        value, error = builder.alloca(integer), builder.alloca(errors)
        builder.call(target, [value, error, *entry.args])
        builder.ret(builder.load(value))
    Path(path).write_bytes(native.object_code([*texts, str(doors)], ENTRIES))


if __name__ == "__main__":
    main(sys.argv[1])
