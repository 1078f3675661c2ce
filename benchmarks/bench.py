"""`make bench`: every figure that the project promises, measured in one run and printed as a table."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import version
from pathlib import Path

from benchmarks import flows, kernels, passing, processes, structured, theory, training, trees
from benchmarks.table import Measure, table

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- bench: written by `python -m benchmarks.bench --readme` -->", "<!-- end of bench -->"
PARTS = {
    "kernels": kernels,
    "trees": trees,
    "flows": flows,
    "theory": theory,
    "structured": structured,
    "processes": processes,
    "training": training,
    "passing": passing,
}


def machine() -> str:
    """The processor and the versions that matter."""
    listed = Path("/proc/cpuinfo")
    lines = listed.read_text().splitlines() if listed.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    versions = ", ".join(f"{name} {version(name)}" for name in ("numpy", "numba", "sympy", "torch", "scikit-learn"))
    return f"{len(names) or 1} x {names[0] if names else platform.processor()}, Python {platform.python_version()}, {versions}"


def record(text: str) -> None:
    """Put a table between the marks of the README."""
    page = README.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    README.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


def main(words: list[str]) -> int:
    """Run the parts named, or all, and say how many goals were reached: on another machine a miss is a fact and no fault.

    With `--readme` the table is recorded in the README.
    """
    chosen = [word for word in words if word != "--readme"]
    unknown = [name for name in chosen if name not in PARTS]
    if unknown:
        print(f"no part {unknown[0]!r} (parts: {' '.join(PARTS)})", file=sys.stderr)
        return 2
    found: list[Measure] = []
    for name in chosen or PARTS:
        for measure in PARTS[name].measures():
            print(f"  {measure.what} ...", file=sys.stderr, flush=True)
            found.append(measure)
    text = f"{machine()}\n\n{table(found)}\n\n{sum(measure.reached for measure in found)} of {len(found)} goals reached."
    print(text)
    if "--readme" in words:
        record(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
