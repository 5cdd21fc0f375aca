"""An exported network looks at the frames of a fixed camera."""

from trainer.picture_files import read_picture
from trainer.predict.frames import check_size, compute_median, find_frames
from trainer.predict.predictor import Predictor

__all__ = [
    "Predictor",
    "check_size",
    "compute_median",
    "find_frames",
    "read_picture",
]
