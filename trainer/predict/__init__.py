"""An exported network looks at the frames of a fixed camera."""

from trainer.picture_files import read_picture
from trainer.predict.background import Scene, find_scene
from trainer.predict.frames import find_frames
from trainer.predict.predictor import Predictor
from trainer.predict.shrinking import ShrinkingPredictor
from trainer.predict.watching import Watcher

__all__ = [
    "Predictor",
    "Scene",
    "ShrinkingPredictor",
    "Watcher",
    "find_frames",
    "find_scene",
    "read_picture",
]
