"""Energies of one sample."""

from replica.losses.absolute import Absolute as Absolute
from replica.losses.cross_entropy import CrossEntropy as CrossEntropy
from replica.losses.exponential import Exponential as Exponential
from replica.losses.formula import Formula as Formula
from replica.losses.hinge import Hinge as Hinge
from replica.losses.huber import Huber as Huber
from replica.losses.logistic import Logistic as Logistic
from replica.losses.score_matching import ScoreMatching as ScoreMatching
from replica.losses.square import Square as Square
from replica.losses.theta import Theta as Theta
from replica.losses.zero import Zero as Zero
