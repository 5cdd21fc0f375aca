"""Photos of the empty scene and cut-outs of what passed, from a camera's own frames."""

from trainer.harvest.cutouts import Candidate, Cutout, CutoutCollector, cut_out
from trainer.harvest.photos import Photo, PhotoCollector

__all__ = [
    "Candidate",
    "Cutout",
    "CutoutCollector",
    "Photo",
    "PhotoCollector",
    "cut_out",
]
