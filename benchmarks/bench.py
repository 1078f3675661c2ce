"""`make bench`: every figure that the project promises, measured in one run and printed as a table."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import version
from pathlib import Path

from benchmarks import kernels, processes, theory, training
from benchmarks.table import Measure, table

PARTS = {"kernels": kernels, "theory": theory, "processes": processes, "training": training}


def machine() -> str:
    """The processor and the versions that matter."""
    listed = Path("/proc/cpuinfo")
    lines = listed.read_text().splitlines() if listed.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    versions = ", ".join(f"{name} {version(name)}" for name in ("numpy", "numba", "sympy", "torch", "scikit-learn"))
    return f"{len(names) or 1} x {names[0] if names else platform.processor()}, Python {platform.python_version()}, {versions}"


def main(chosen: list[str]) -> int:
    """Run the parts named, or all, and say how many goals were reached: on another machine a miss is a fact and no fault."""
    unknown = [name for name in chosen if name not in PARTS]
    if unknown:
        print(f"no part {unknown[0]!r} (parts: {' '.join(PARTS)})", file=sys.stderr)
        return 2
    found: list[Measure] = []
    for name in chosen or PARTS:
        for measure in PARTS[name].measures():
            print(f"  {measure.what} ...", file=sys.stderr, flush=True)
            found.append(measure)
    print(f"{machine()}\n\n{table(found)}\n\n{sum(measure.reached for measure in found)} of {len(found)} goals reached")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
