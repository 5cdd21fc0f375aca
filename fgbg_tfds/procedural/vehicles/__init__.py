"""Vehicles: their shapes, and their pictures from any side."""

from fgbg_tfds.procedural.vehicles.coachwork import design
from fgbg_tfds.procedural.vehicles.rendering import draw_vehicle, render

__all__ = ["design", "draw_vehicle", "render"]
