"""From a data set that TFDS has built to batches, addressed by step."""

from trainer.data.batches import (
    PAIRS,
    make_evaluation_batches,
    make_training_batches,
)
from trainer.data.datasets import Builder, sample_split
from trainer.data.facts import Facts, read_facts
from trainer.data.mean_depth import average_depth
from trainer.data.mixture import Mixture, open_mixture
from trainer.data.streams import find_addresses

__all__ = [
    "PAIRS",
    "Builder",
    "Facts",
    "Mixture",
    "average_depth",
    "find_addresses",
    "make_evaluation_batches",
    "make_training_batches",
    "open_mixture",
    "read_facts",
    "sample_split",
]
