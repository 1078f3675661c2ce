"""Compiles the text of a flow to an object file: `python -m numerics.flow.build TEXT.py FILE.o`, a process of its own.

As in numerics.methods.build numba only types and lowers, and the optimiser runs once over the whole.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

ENTRY = "replica_flow"


def main(text: str, path: str) -> None:
    """Write the object file of the module at `text`."""
    os.environ["NUMBA_OPT"] = "0"
    from llvmlite import ir
    from numba import njit, types
    from numba.core.codegen import JitEngine
    from numba.core.compiler_lock import global_compiler_lock
    from numba.core.cpu import CPUContext

    JitEngine.finalize_object = lambda _: None
    CPUContext.get_executable = lambda *_: [].append  # a placeholder, new each time: nothing is run in this process
    from numerics import native
    from numerics.methods.raw import PART

    found = importlib.util.spec_from_file_location("flow_text", text)
    assert found is not None and found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    signature = types.int64(types.int64, types.float64)
    integer, errors = ir.IntType(64), ir.IntType(8).as_pointer()
    inner = ir.FunctionType(ir.IntType(32), [integer.as_pointer(), errors.as_pointer(), integer, ir.DoubleType()])
    with global_compiler_lock:
        result = njit(signature, **PART)(module.entry.py_func).overloads[signature.args]
        result.library.finalize()
    doors = ir.Module()
    target = ir.Function(doors, inner, result.fndesc.llvm_func_name)
    entry = ir.Function(doors, ir.FunctionType(integer, [integer, ir.DoubleType()]), ENTRY)
    builder = ir.IRBuilder(entry.append_basic_block())
    value, error = builder.alloca(integer), builder.alloca(errors)
    builder.call(target, [value, error, *entry.args])
    builder.ret(builder.load(value))
    Path(path).write_bytes(native.object_code([result.library.get_llvm_str(), str(doors)], [ENTRY]))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
