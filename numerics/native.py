"""Machine code without numba: LLVM text to an object file, an object file to functions that Python can call.

numba is needed to compile the solver, once per installation; a process that only runs compiled code never imports it.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from llvmlite import binding as llvm

_LOCK = threading.RLock()
_KEPT: list[Any] = []  # engines own the code that addresses point to; they live as long as the process
_RESULT, _POINTERS = ctypes.c_int64, [ctypes.c_void_p] * 6
_PLAIN = ctypes.CFUNCTYPE(_RESULT, *_POINTERS)
_NUMBERED = ctypes.CFUNCTYPE(_RESULT, ctypes.c_int64, *_POINTERS)
OUTSIDE = frozenset(  # what every process offers
    "exp log log1p expm1 pow sqrt sin cos tan asin acos atan sinh cosh tanh erf erfc lgamma memset memcpy memmove".split()
)
_DTYPES = (np.dtype(np.float64),) * 3 + (np.dtype(np.int64),) + (np.dtype(np.float64),) * 2


@dataclass(frozen=True)
class Kernel:
    """A compiled kernel: (p, x, w, off, scr, out) -> int64, arrays of float64 (off: int64) in one piece.

    Args:
        address: of the machine code, which takes pointers.
        numbered: whether a loop's number comes first, as `probe` has it.
        owner: what keeps the code alive; None where native.load does.
    """

    address: int
    numbered: bool = False
    owner: Any = field(default=None, repr=False, compare=False)

    def __call__(self, *args: Any) -> int:
        first = args[: len(args) - 6]
        if len(first) != self.numbered:
            raise TypeError(f"a kernel takes {6 + self.numbered} arguments, got {len(args)}")
        pointers = []
        for name, a, dtype in zip(("p", "x", "w", "off", "scr", "out"), args[len(first) :], _DTYPES, strict=True):
            if not isinstance(a, np.ndarray) or a.dtype != dtype or a.ndim != 1 or not a.flags.c_contiguous:
                raise TypeError(f"kernel argument {name} must be a one-dimensional array of {dtype} in one piece")
            pointers.append(a.ctypes.data)
        return int((_NUMBERED if self.numbered else _PLAIN)(self.address)(*first, *pointers))


@cache
def machine() -> llvm.TargetMachine:
    """Code generation for this processor."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.Target.from_default_triple().create_target_machine(cpu=llvm.get_host_cpu_name(), features=features(), opt=3, jit=True)


@cache
def features() -> str:
    """Instruction sets that the processor has."""
    return str(llvm.get_host_cpu_features().flatten())


def object_code(texts: Sequence[str], keep: Sequence[str]) -> bytes:
    """Optimised machine code of LLVM texts linked together.

    Args:
        keep: symbols that must stay reachable; all others may be inlined away.

    Raises:
        ValueError: the code calls something outside itself and the mathematical library.
    """
    with _LOCK:
        target = machine()
        module = llvm.parse_assembly(texts[0])
        for text in texts[1:]:
            module.link_in(llvm.parse_assembly(text))
        module.verify()
        module.triple, module.data_layout = target.triple, str(target.target_data)
        for function in module.functions:
            if not function.is_declaration:
                function.linkage = "external" if function.name in keep else "internal"
        tuning = llvm.create_pipeline_tuning_options(speed_level=3)
        tuning.loop_vectorization, tuning.slp_vectorization = True, False
        tuning.loop_interleaving = False  # saves a sixth to a third of the time here, and kernels are as fast without
        builder = llvm.create_pass_builder(target, tuning)
        builder.getModulePassManager().run(module, builder)
        foreign = [f.name for f in module.functions if f.is_declaration and f.name not in OUTSIDE and not f.name.startswith("llvm.")]
        if foreign:
            raise ValueError(f"machine code would call {foreign[0]}, which is neither its own nor in the mathematical library")
        return bytes(target.emit_object(module))


def load(code: bytes, names: Sequence[str]) -> tuple[int, ...]:
    """Addresses of functions of an object file, loaded into this process for good.

    Raises:
        ValueError: the bytes are no object file, or a function is missing.
    """
    with _LOCK:
        machine()
        fresh = llvm.Target.from_default_triple().create_target_machine(cpu=llvm.get_host_cpu_name(), features=features(), jit=True)
        engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), fresh)  # takes possession of its target machine
        try:
            file = llvm.object_file.ObjectFileRef.from_data(code)
        except RuntimeError as error:
            raise ValueError(f"no object file: {error}") from None
        engine.add_object_file(file)
        engine.finalize_object()
        found = tuple(int(engine.get_function_address(name)) for name in names)
        if not all(found):
            raise ValueError(f"object file without {names[found.index(0)]}")
        _KEPT.append((engine, file))
        return found
