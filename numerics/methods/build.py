"""Compiles the solver to an object file: `python -m numerics.methods.build FILE`, a process of its own, once per installation.

numba only types and lowers here.  Left alone it would optimise and load every function anew in each of its callers, which takes
most of a minute; here the optimiser runs once, over the whole.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from numerics.solver import ENTRIES


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
    from numerics.methods.inspect import inspect
    from numerics.methods.march import march
    from numerics.methods.raw import PART
    from numerics.methods.recur import recur

    signature = types.int64(types.int64, types.float64)
    integer, errors = ir.IntType(64), ir.IntType(8).as_pointer()
    inner = ir.FunctionType(ir.IntType(32), [integer.as_pointer(), errors.as_pointer(), integer, ir.DoubleType()])
    texts, doors = [], ir.Module()
    for name, function in zip(ENTRIES, (march, inspect, recur), strict=True):
        with global_compiler_lock:
            result = njit(signature, **PART)(function.py_func).overloads[signature.args]
            result.library.finalize()
        texts.append(result.library.get_llvm_str())
        target = ir.Function(doors, inner, result.fndesc.llvm_func_name)
        entry = ir.Function(doors, ir.FunctionType(integer, [integer, ir.DoubleType()]), name)
        builder = ir.IRBuilder(entry.append_basic_block())
        value, error = builder.alloca(integer), builder.alloca(errors)
        builder.call(target, [value, error, *entry.args])
        builder.ret(builder.load(value))
    Path(path).write_bytes(native.object_code([*texts, str(doors)], ENTRIES))


if __name__ == "__main__":
    main(sys.argv[1])
