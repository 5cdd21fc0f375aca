"""The teacher monodepth2."""

from fgbg_tfds.depth.monodepth2.teacher import Monodepth2, load

__all__ = ["Monodepth2", "load"]
