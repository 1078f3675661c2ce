"""Overlap structures assumed in solving a model."""

from replica.ansatz.annealed import Annealed as Annealed
from replica.ansatz.rs import RS as RS
from replica.ansatz.rsb import RSB as RSB
