"""Composed pictures with mask and depth, as the TensorFlow data set `fgbg`.

Importing this package registers the data set, so that `tfds.load('fgbg')` can
build it; data that is built can be loaded without it.
"""

from fgbg_tfds.fgbg_tfds_dataset_builder import Builder, FgbgConfig

__all__ = ["Builder", "FgbgConfig"]
