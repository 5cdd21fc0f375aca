"""Registration: brings a background onto a frame of the same camera."""

from trainer.registration.motion import Registration, align, move
from trainer.registration.pooling import compute_local_contrast

__all__ = ["Registration", "align", "compute_local_contrast", "move"]
