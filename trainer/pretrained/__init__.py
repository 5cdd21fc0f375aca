"""Weights of trained networks: those of the package, and where trainings start."""

from trainer.pretrained.starting import (
    blend_with_start,
    check_start,
    choose_share,
    find_network,
    load_network,
    start_from,
)
from trainer.pretrained.weight_file import Weights, list_weights, write_weights

__all__ = [
    "Weights",
    "blend_with_start",
    "check_start",
    "choose_share",
    "find_network",
    "list_weights",
    "load_network",
    "start_from",
    "write_weights",
]
