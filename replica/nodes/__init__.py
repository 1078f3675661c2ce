"""Opaque expressions with derivative rules and LaTeX; no numbers."""

from replica.nodes.averages import LogAverage, Tilted, average
from replica.nodes.functions import Hazard, Log2Cosh, LogH, Sigmoid, Softplus
from replica.nodes.measures import Counting, Discrete, Flat, Gauss, Measure
from replica.nodes.moments import Angle, FourSigns, GivenAngle, Minor, Moment, Over, Rate
from replica.nodes.proximal import Moreau, Peak, Prox, ProxSlope

__all__ = [
    "Angle",
    "Counting",
    "Discrete",
    "Flat",
    "FourSigns",
    "Gauss",
    "GivenAngle",
    "Hazard",
    "Log2Cosh",
    "LogAverage",
    "LogH",
    "Measure",
    "Minor",
    "Moment",
    "Moreau",
    "Over",
    "Peak",
    "Prox",
    "ProxSlope",
    "Rate",
    "Sigmoid",
    "Softplus",
    "Tilted",
    "average",
]
