"""Name tables under which one kernel text runs: numba, NumPy/SciPy, mpmath, Arb."""
