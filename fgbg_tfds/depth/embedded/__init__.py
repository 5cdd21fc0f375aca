"""The teacher in the package: small, trained on drawn scenes and pieces of photos."""

from fgbg_tfds.depth.embedded.teacher import EmbeddedTeacher, load

__all__ = ["EmbeddedTeacher", "load"]
