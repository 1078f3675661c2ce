"""Energies of one weight."""

from replica.regularizers.elastic_net import ElasticNet as ElasticNet
from replica.regularizers.formula import Formula as Formula
from replica.regularizers.l1 import L1 as L1
from replica.regularizers.ridge import Ridge as Ridge
from replica.regularizers.zero import Zero as Zero
