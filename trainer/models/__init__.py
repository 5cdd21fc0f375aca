"""The networks, each a function of its settings, and the grid of their maps."""

from trainer.models.alexnet import load_alexnet
from trainer.models.dnn15 import dnn15
from trainer.models.eigen import eigen
from trainer.models.network import Network
from trainer.models.registry import check_settings, make_network

__all__ = [
    "Network",
    "check_settings",
    "dnn15",
    "eigen",
    "load_alexnet",
    "make_network",
]
