"""Special functions in plain arithmetic, which numba can vectorise."""
