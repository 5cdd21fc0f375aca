"""Composes pictures: recipe, sources, pasting, depth on the ground, encoding."""

from fgbg_tfds.compose import encoding
from fgbg_tfds.compose.ground_depth import RULE, compute_composite_depth
from fgbg_tfds.compose.paste import Pasted, compose, find_box, paste_at, place_and_paste
from fgbg_tfds.compose.pictures import MAX_ENLARGEMENT, Picture, identify, list_pictures
from fgbg_tfds.compose.recipe import SPLITS, Composite, Placement, Recipe
from fgbg_tfds.compose.sources import Sources, describe_source

__all__ = [
    "MAX_ENLARGEMENT",
    "RULE",
    "SPLITS",
    "Composite",
    "Pasted",
    "Picture",
    "Placement",
    "Recipe",
    "Sources",
    "compose",
    "compute_composite_depth",
    "describe_source",
    "encoding",
    "find_box",
    "identify",
    "list_pictures",
    "paste_at",
    "place_and_paste",
]
