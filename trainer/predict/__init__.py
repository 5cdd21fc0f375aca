"""An exported network looks at the frames of a fixed camera."""

from trainer.picture_files import read_picture
from trainer.predict.answers import (
    Answer,
    draw_answer,
    encode_picture,
    locate_answer,
    round_answer,
)
from trainer.predict.arguments import (
    add_model,
    parse_amount,
    parse_model,
    parse_path,
    parse_place,
    parse_port,
    parse_positive,
)
from trainer.predict.background import Scene, find_scene
from trainer.predict.frames import (
    Frame,
    VideoFrames,
    check_size,
    find_frames,
    find_pictures,
)
from trainer.predict.live import hide_password
from trainer.predict.looks import apply_light, fit_light
from trainer.predict.object_files import OBJECTS, describe_frame
from trainer.predict.objects import MIN_SHARE, Object, find_objects
from trainer.predict.observer import Observer
from trainer.predict.predictor import Predictor, find_model
from trainer.predict.regions import grow, label_regions
from trainer.predict.scenes import (
    BACKGROUND,
    FEWEST_FRAMES,
    SCENE_FRAMES,
    make_estimator,
    open_scene,
)
from trainer.predict.shadow_removal import FEWEST_SAMPLED, ShadowRemoval
from trainer.predict.shadows import (
    ShadowFinder,
    compare_light,
    find_shadow,
    is_shade,
)
from trainer.predict.shrinking import ShrinkingPredictor
from trainer.predict.spread import Spread
from trainer.predict.tracking import Tracker
from trainer.predict.video import VideoReader
from trainer.predict.watching import Watcher

__all__ = [
    "BACKGROUND",
    "FEWEST_FRAMES",
    "FEWEST_SAMPLED",
    "MIN_SHARE",
    "OBJECTS",
    "SCENE_FRAMES",
    "Answer",
    "Frame",
    "Object",
    "Observer",
    "Predictor",
    "Scene",
    "ShadowFinder",
    "ShadowRemoval",
    "ShrinkingPredictor",
    "Spread",
    "Tracker",
    "VideoFrames",
    "VideoReader",
    "Watcher",
    "add_model",
    "apply_light",
    "check_size",
    "compare_light",
    "describe_frame",
    "draw_answer",
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
    "locate_answer",
    "make_estimator",
    "open_scene",
    "parse_amount",
    "parse_model",
    "parse_path",
    "parse_place",
    "parse_port",
    "parse_positive",
    "read_picture",
    "round_answer",
]
