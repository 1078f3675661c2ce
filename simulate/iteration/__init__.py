"""How algorithms run on instances: what each one provides, and what all get from it (history, restarts, resume, status)."""

from simulate.iteration.algorithm import Algorithm, State
from simulate.iteration.record import Record
from simulate.iteration.status import Status

__all__ = ["Algorithm", "Record", "State", "Status"]
