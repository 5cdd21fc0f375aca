"""Weights of trained networks: those that a training starts from, and their files."""

from trainer.pretrained.starting import check_start, start_from
from trainer.pretrained.weight_file import (
    SUFFIX,
    Weights,
    list_weights,
    write_weights,
)

__all__ = [
    "SUFFIX",
    "Weights",
    "check_start",
    "list_weights",
    "start_from",
    "write_weights",
]
