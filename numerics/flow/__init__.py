"""Flows: compiled right-hand sides, adaptive integration with restarts, fixed points and plateaus."""
