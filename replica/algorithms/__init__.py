"""How a finite system is solved."""

from replica.algorithms.amp import AMP as AMP
from replica.algorithms.annealing import Annealing as Annealing
from replica.algorithms.edmc import EDMC as EDMC
from replica.algorithms.focusing_bp import FocusingBP as FocusingBP
from replica.algorithms.gradient_ascent import GradientAscent as GradientAscent
from replica.algorithms.langevin import Langevin as Langevin
from replica.algorithms.lbfgs import LBFGS as LBFGS
from replica.algorithms.query_by_committee import QueryByCommittee as QueryByCommittee
from replica.algorithms.reinforced_bp import ReinforcedBP as ReinforcedBP
from replica.algorithms.replicated_annealing import ReplicatedAnnealing as ReplicatedAnnealing
from replica.algorithms.replicated_sgd import ReplicatedSGD as ReplicatedSGD
from replica.algorithms.sbpi import SBPI as SBPI
from replica.algorithms.spectral import Spectral as Spectral
from replica.algorithms.uncertainty_sampling import UncertaintySampling as UncertaintySampling
