"""The pictures and the recipe that the settings of a data set describe."""

from __future__ import annotations

from fgbg_tfds.compose import Recipe, Sources
from fgbg_tfds.settings import Settings


def open_sources(settings: Settings) -> Sources:
    """Opens the pictures that the settings name, without reading them."""
    return Sources(settings.foregrounds, settings.backgrounds, settings.image_size)


def make_recipe(settings: Settings, sources: Sources) -> Recipe:
    """Makes the recipe of a data set.

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
    )
