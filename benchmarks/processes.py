"""Whole processes: `replica solve` with an empty and with a filled cache, and the memory of theory alone."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.table import Measure

ROOT = Path(__file__).parents[1]
COLD, WARM, MEMORY = 8.0, 1.5, 600.0
_SOLVE = "import sys; from simulate.cli import main; code = main(['solve', sys.argv[1], '--json'])"
# Linux: ru_maxrss would begin with the memory of the process that started this one, and exec does not forget it
_REPORT = """
status = __import__("pathlib").Path("/proc/self/status")
if status.exists():
    peak = next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM"))
else:
    peak = __import__("resource").getrusage(0).ru_maxrss
print(peak / 1024, file=sys.stderr)
sys.exit(code)
"""


def solve_process(name: str, folder: str) -> tuple[float, float]:
    """(seconds, peak megabytes) of one `replica solve` whose caches are in `folder`."""
    caches = {"REPLICA_CACHE": f"{folder}/kernels", "NUMBA_CACHE_DIR": f"{folder}/numba", "PYTHONPYCACHEPREFIX": f"{folder}/bytecode"}
    environment = {**os.environ, **caches, "PYTHONDONTWRITEBYTECODE": ""}  # what is installed has its bytecode
    begin = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", _SOLVE + _REPORT, name], env=environment, cwd=ROOT, capture_output=True, text=True)
    seconds = time.perf_counter() - begin
    if done.returncode != 0:
        raise RuntimeError(f"replica solve {name}: {done.stderr.strip()}")
    return seconds, float(done.stderr.split()[-1])


def measures(name: str = "logistic_sign") -> Iterator[Measure]:
    """Cold, warm and memory of one catalog spec."""
    with tempfile.TemporaryDirectory() as folder:
        first, _ = solve_process("bayes_sign", folder)  # compiles the solver itself: once in the life of an installation
        cold, memory = solve_process(name, folder)
        warm, _ = min(solve_process(name, folder) for _ in range(3))
    yield Measure(f"replica solve {name}, cold kernel cache", cold, "s", COLD, note=f"the first call ever took {first:.1f} s")
    yield Measure(f"replica solve {name}, warm", warm, "s", WARM)
    yield Measure("peak memory of a theory-only process", memory, "MB", MEMORY)
