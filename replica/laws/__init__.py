"""Laws of the inputs."""

from replica.laws.covariance import Covariance as Covariance
from replica.laws.dataset import Dataset as Dataset
from replica.laws.gaussian import Gaussian as Gaussian
from replica.laws.hidden_manifold import HiddenManifold as HiddenManifold
from replica.laws.hopfield import Hopfield as Hopfield
from replica.laws.iid import IID as IID
from replica.laws.layered_paths import LayeredPaths as LayeredPaths
from replica.laws.marchenko_pastur import MarchenkoPastur as MarchenkoPastur
from replica.laws.pairwise import Pairwise as Pairwise
from replica.laws.power_law import PowerLaw as PowerLaw
from replica.laws.pspin import PSpin as PSpin
from replica.laws.sat import SAT as SAT
from replica.laws.spiked import Spiked as Spiked
from replica.laws.tokens import Tokens as Tokens
from replica.laws.tree import Tree as Tree
