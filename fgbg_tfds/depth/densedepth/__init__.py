"""The teacher DenseDepth."""

from fgbg_tfds.depth.densedepth.teacher import load

__all__ = ["load"]
