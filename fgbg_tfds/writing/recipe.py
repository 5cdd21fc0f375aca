"""The pictures and the recipe that the settings of a data set describe."""

from __future__ import annotations

from collections.abc import Sequence

from fgbg_tfds.compose import Picture, Recipe, Sources, identify
from fgbg_tfds.settings import Settings


def open_sources(settings: Settings) -> Sources:
    """Opens the pictures that the settings name, without reading them."""
    return Sources(settings.foregrounds, settings.backgrounds, settings.image_size)


def make_recipe(
    settings: Settings,
    sources: Sources,
    foregrounds: Sequence[Picture] = (),
    backgrounds: Sequence[Picture] = (),
) -> Recipe:
    """Makes the recipe of a data set.

    Args:
      settings: The data set's settings.
      sources: The origin of its pictures.
      foregrounds: Its cut-outs, if they were read: equal ones get into one split.
      backgrounds: Its scenes, if they were read.

    Raises:
      InputError: If pictures are missing or too few, or a field cannot be used.
    """
    return Recipe(
        foregrounds=sources.foreground_names,
        backgrounds=sources.background_names,
        placements=settings.placements,
        flips=settings.flips,
        scale=settings.scale,
        seed=settings.seed,
        foreground_identities=identify(foregrounds),
        background_identities=identify(backgrounds),
    )
