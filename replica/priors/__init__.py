"""Laws of one weight."""

from replica.priors.binary import Binary as Binary
from replica.priors.density import Density as Density
from replica.priors.discrete import Discrete as Discrete
from replica.priors.gauss_bernoulli import GaussBernoulli as GaussBernoulli
from replica.priors.gaussian import Gaussian as Gaussian
from replica.priors.laplace import Laplace as Laplace
from replica.priors.matrix import Matrix as Matrix
from replica.priors.spherical import Spherical as Spherical
from replica.priors.uniform import Uniform as Uniform
