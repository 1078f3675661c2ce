"""Laws of a label given the field."""

from replica.channels.abs import Abs as Abs
from replica.channels.density import Density as Density
from replica.channels.linear import Linear as Linear
from replica.channels.logit import Logit as Logit
from replica.channels.map import Map as Map
from replica.channels.ordinal import Ordinal as Ordinal
from replica.channels.poisson import Poisson as Poisson
from replica.channels.probit import Probit as Probit
from replica.channels.relu import Relu as Relu
from replica.channels.sign import Sign as Sign
from replica.channels.softmax import Softmax as Softmax
