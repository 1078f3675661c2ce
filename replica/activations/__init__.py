"""Outputs of a hidden unit."""

from replica.activations.erf import Erf as Erf
from replica.activations.formula import Formula as Formula
from replica.activations.linear import Linear as Linear
from replica.activations.quadratic import Quadratic as Quadratic
from replica.activations.relu import Relu as Relu
from replica.activations.sign import Sign as Sign
from replica.activations.tanh import Tanh as Tanh
