"""Augmentation of pairs and their labels: pure functions of a seed."""

from trainer.augment.chances import OMITTABLE
from trainer.augment.life import GROUP_SIZE, empty_pair, make_pairs, perturb_pair
from trainer.augment.pasting import Scene, as_tuple
from trainer.augment.window import cut_windows
from trainer.augment.zoom import Augmentation, augment, fit

__all__ = [
    "GROUP_SIZE",
    "OMITTABLE",
    "Augmentation",
    "Scene",
    "as_tuple",
    "augment",
    "cut_windows",
    "empty_pair",
    "fit",
    "make_pairs",
    "perturb_pair",
]
