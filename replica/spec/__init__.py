"""The spec language: tables, shorthand, checks, and files."""

from replica.spec.catalog import catalog as catalog
from replica.spec.catalog import load as load
from replica.spec.errors import SpecError as SpecError
from replica.spec.learners import Coupling as Coupling
from replica.spec.learners import Learner as Learner
from replica.spec.learners import Stage as Stage
from replica.spec.learners import Student as Student
from replica.spec.run import Run as Run
from replica.spec.spec import Spec as Spec
from replica.spec.sweeps import grid as grid
from replica.spec.tables import Block as Block
from replica.spec.tables import Control as Control
from replica.spec.tables import Data as Data
from replica.spec.tables import Group as Group
from replica.spec.tables import Label as Label
from replica.spec.tables import Latent as Latent
from replica.spec.tables import Slice as Slice
from replica.spec.tables import Teacher as Teacher
