"""The data contract, as the builder writes it: features, units and limits.

The package that reads the data set has the same numbers in a module of its own, since
neither package imports the other. `tests/test_contract.py` compares them.
"""

from __future__ import annotations

PICTURES = ("bg", "fgbg", "mask", "depth")
LABELS = ("foreground", "background")
DEPTH_UNITS = 256  # of stored depth in a metre, as in KITTI; 0 is unknown
MAX_DEPTH = 80.0  # metres
MAX_ALPHA = 255  # of a stored mask
MASK_THRESHOLD = 128  # of a stored mask; from here on a pixel is foreground
