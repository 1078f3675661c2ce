"""The command `replica`."""

from simulate.cli.app import main

__all__ = ["main"]
