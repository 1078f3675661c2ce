"""Several learners written as one."""

from replica.ensembles.franz_parisi import FranzParisi as FranzParisi
from replica.ensembles.robust import Robust as Robust
from replica.ensembles.two_centres import TwoCentres as TwoCentres
