"""The data contract, as the trainer reads it: features, units and limits.

The package that makes the data set has the same numbers in a module of its own, since
neither package imports the other. `tests/test_contract.py` compares them.
"""

from __future__ import annotations

FEATURES = ("bg", "fgbg", "mask", "depth")
FOREGROUND = "foreground"  # label: the name of the cut-out
DEPTH_UNITS = 256  # of stored depth in a metre, as in KITTI; 0 is unknown
MAX_DEPTH = 80.0  # metres
MAX_ALPHA = 255  # of a stored mask
MASK_THRESHOLD = 128  # of a stored mask; from here on a pixel is foreground
PROBABILITY_THRESHOLD = 0.5  # the same of a mask in 0 to 1
