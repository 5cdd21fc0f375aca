"""Streets, roads, rooms and vehicles drawn from a seed, with exact depth in metres."""

from fgbg_tfds.procedural.cutouts import draw_cutout
from fgbg_tfds.procedural.scene import Scene, choose_place, draw_scene, draw_street
from fgbg_tfds.procedural.swatches import SHORTEST, Swatches, cut_swatches
from fgbg_tfds.procedural.vehicles.rendering import draw_vehicle

__all__ = [
    "SHORTEST",
    "Scene",
    "Swatches",
    "choose_place",
    "cut_swatches",
    "draw_cutout",
    "draw_scene",
    "draw_street",
    "draw_vehicle",
]
