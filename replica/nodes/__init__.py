"""Opaque expressions with derivative rules and LaTeX; no numbers."""

from replica.nodes.averages import LogAverage, Tilted, average
from replica.nodes.functions import Hazard, Log2Cosh, LogH, Sigmoid, Softplus
from replica.nodes.measures import Counting, Discrete, Flat, Gauss, Measure
from replica.nodes.moments import Angle, Moment, Rate
from replica.nodes.proximal import Moreau, Peak, Prox, ProxSlope

__all__ = [
    "Angle",
    "Counting",
    "Discrete",
    "Flat",
    "Gauss",
    "Hazard",
    "Log2Cosh",
    "LogAverage",
    "LogH",
    "Measure",
    "Moment",
    "Moreau",
    "Peak",
    "Prox",
    "ProxSlope",
    "Rate",
    "Sigmoid",
    "Softplus",
    "Tilted",
    "average",
]
