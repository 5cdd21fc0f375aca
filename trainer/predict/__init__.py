"""An exported network looks at the frames of a fixed camera."""

from trainer.picture_files import read_picture
from trainer.predict.answers import encode_picture, round_answer
from trainer.predict.arguments import (
    parse_amount,
    parse_model,
    parse_path,
    parse_place,
    parse_positive,
)
from trainer.predict.background import Scene, find_scene
from trainer.predict.frames import find_frames, find_pictures
from trainer.predict.live import hide_password
from trainer.predict.looks import apply_light, fit_light
from trainer.predict.objects import Object, find_objects
from trainer.predict.observer import Observer
from trainer.predict.predictor import Predictor, find_model
from trainer.predict.regions import grow, label_regions
from trainer.predict.scenes import open_scene
from trainer.predict.shadows import (
    ShadowFinder,
    compare_light,
    find_shadow,
    is_shade,
)
from trainer.predict.shrinking import ShrinkingPredictor
from trainer.predict.tracking import Tracker
from trainer.predict.watching import Watcher

__all__ = [
    "Object",
    "Observer",
    "Predictor",
    "Scene",
    "ShadowFinder",
    "ShrinkingPredictor",
    "Tracker",
    "Watcher",
    "apply_light",
    "compare_light",
    "encode_picture",
    "find_frames",
    "find_model",
    "find_objects",
    "find_pictures",
    "find_scene",
    "find_shadow",
    "fit_light",
    "grow",
    "hide_password",
    "is_shade",
    "label_regions",
    "open_scene",
    "parse_amount",
    "parse_model",
    "parse_path",
    "parse_place",
    "parse_positive",
    "read_picture",
    "round_answer",
]
