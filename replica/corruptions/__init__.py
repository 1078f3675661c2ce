"""What is added to an input before it is seen."""

from replica.corruptions.ou import OU as OU
from replica.corruptions.vp import VP as VP
