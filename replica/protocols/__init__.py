"""How a learner learns."""

from replica.protocols.adam import Adam as Adam
from replica.protocols.adamw import AdamW as AdamW
from replica.protocols.amp import AMP as AMP
from replica.protocols.bayes import Bayes as Bayes
from replica.protocols.erm import ERM as ERM
from replica.protocols.federated import Federated as Federated
from replica.protocols.gibbs import Gibbs as Gibbs
from replica.protocols.gradient_flow import GradientFlow as GradientFlow
from replica.protocols.neighbours import Neighbours as Neighbours
from replica.protocols.online_sgd import OnlineSGD as OnlineSGD
from replica.protocols.sgd import SGD as SGD
from replica.protocols.svd import SVD as SVD
