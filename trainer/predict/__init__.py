"""An exported network looks at the frames of a fixed camera."""

from trainer.predict.predictor import Predictor

__all__ = ["Predictor"]
