"""The teacher in the package: small, no depth of a real photo was needed for it."""

from fgbg_tfds.depth.embedded.teacher import EmbeddedTeacher, load

__all__ = ["EmbeddedTeacher", "load"]
