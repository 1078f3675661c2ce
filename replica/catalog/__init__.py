"""Spec files that users copy."""
