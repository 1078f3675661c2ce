"""Compiles numba functions to an object file, in a process of its own: `python -m numerics.build FILE MODULE`.

The functions are those of MODULE.ENTRIES.  numba only types and lowers here.  Left alone it would optimise and load every function
anew in each of its callers, which takes most of a minute; here the optimiser runs once, over the whole.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path


def build(module: str) -> bytes:
    """The object file of the functions that a module lists: name in the file -> (function, signature of numbers).

    Raises:
        RuntimeError: they cannot be compiled.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "entries.o"
        command = [sys.executable, "-m", "numerics.build", str(path), module]
        done = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{module} cannot be compiled: {(done.stderr.strip().splitlines() or ['no message'])[-1]}")
        return path.read_bytes()


def main(path: str, module: str) -> None:
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
    from numerics.methods.raw import PART

    entries = importlib.import_module(module).ENTRIES
    integer, errors = ir.IntType(64), ir.IntType(8).as_pointer()
    kinds = {types.int64: integer, types.float64: ir.DoubleType()}
    texts, doors = [], ir.Module()
    for name, (function, signature) in entries.items():
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
    Path(path).write_bytes(native.object_code([*texts, str(doors)], tuple(entries)))


if __name__ == "__main__":
    main(*sys.argv[1:])
