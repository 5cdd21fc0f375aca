"""Composed pictures with mask and depth, as the TensorFlow data set `fgbg`.

Importing this package registers the data set, so that `tfds.load('fgbg')` can
build it; data that is built can be loaded without it.
"""

import os

from fgbg_tfds.notices import drop_notices

# Else TensorFlow prints pages about devices that it does not find.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
with drop_notices():  # TFDS imports TensorFlow
    from fgbg_tfds.fgbg_tfds_dataset_builder import Builder, FgbgConfig

__all__ = ["Builder", "FgbgConfig"]
