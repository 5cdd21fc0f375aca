"""The weights that come with the package."""

from __future__ import annotations

import pathlib

EMBEDDED_WEIGHTS = pathlib.Path(__file__).parent / "weights" / "embedded.npz"
