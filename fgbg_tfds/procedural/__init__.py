"""Streets, rooms and vehicles drawn from a seed, with exact depth in metres."""

from fgbg_tfds.procedural.scene import Scene, draw_scene, draw_street
from fgbg_tfds.procedural.vehicles.rendering import draw_vehicle

__all__ = ["Scene", "draw_scene", "draw_street", "draw_vehicle"]
