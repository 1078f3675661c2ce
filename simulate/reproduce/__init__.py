"""Papers reproduced: their curves solved, their claims checked, their finite systems beside the theory."""

from simulate.reproduce.run import reproduce

__all__ = ["reproduce"]
