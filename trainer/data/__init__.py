"""Batches from a data set that TFDS has built, addressed by step."""

from trainer.data.batches import (
    FEATURES,
    VARIANTS,
    count,
    evaluation_batches,
    fingerprint,
    full_name,
    open_dataset,
    open_datasets,
    picture_size,
    pictures,
    several,
    spread,
    training_batches,
)

__all__ = [
    "FEATURES", "VARIANTS", "count", "evaluation_batches", "fingerprint", "full_name",
    "open_dataset", "open_datasets", "picture_size", "pictures", "several",
    "spread", "training_batches",
]  # fmt: skip
