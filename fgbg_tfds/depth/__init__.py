"""Depth networks that label pictures: `load_teacher` and the teachers it returns."""

from fgbg_tfds.depth.loading import PRECISIONS, TEACHERS, load_teacher
from fgbg_tfds.depth.teacher import Teacher, TeacherCard
from fgbg_tfds.depth.weights_folder import EMBEDDED_WEIGHTS

__all__ = [
    "EMBEDDED_WEIGHTS",
    "PRECISIONS",
    "TEACHERS",
    "Teacher",
    "TeacherCard",
    "load_teacher",
]
