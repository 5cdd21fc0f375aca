"""Vehicles: their shapes, and what they look like from a place."""

from fgbg_tfds.procedural.vehicles.rendering import Sprite, draw_vehicle, render

__all__ = ["Sprite", "draw_vehicle", "render"]
