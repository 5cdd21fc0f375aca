"""Files that come with the package, found without loading any."""

from __future__ import annotations

import pathlib

PRETRAINED = "pretrained"  # what users call them
WEIGHTS_FILE = pathlib.Path(__file__).with_name("pretrained") / "refine.npz"
SUFFIX = ".npz"  # of files of weights
DRAWN = pathlib.Path(__file__).with_name("demo") / "examples"  # drawn pictures
