"""Registration: brings a background onto a frame of the same camera."""

from trainer.registration.motion import Registration, align, move
from trainer.registration.pooling import compute_local_contrast
from trainer.registration.portability import build_portably

__all__ = [
    "Registration",
    "align",
    "build_portably",
    "compute_local_contrast",
    "move",
]
