"""How the output of a learner depends on its weights."""

from replica.networks.committee import Committee as Committee
from replica.networks.deep_linear import DeepLinear as DeepLinear
from replica.networks.head_of import HeadOf as HeadOf
from replica.networks.linear import Linear as Linear
from replica.networks.low_rank_factors import LowRankFactors as LowRankFactors
from replica.networks.mlp import MLP as MLP
from replica.networks.random_features import RandomFeatures as RandomFeatures
from replica.networks.split import Split as Split
from replica.networks.table import Table as Table
from replica.networks.transformer import Transformer as Transformer
from replica.networks.unet import UNet as UNet
from replica.networks.vae import VAE as VAE
