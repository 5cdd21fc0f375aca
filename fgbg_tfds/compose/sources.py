"""The pictures that a data set is composed of: folders of them, or drawn ones."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from fgbg_tfds import procedural
from fgbg_tfds.compose.pictures import (
    Picture,
    list_pictures,
    list_scenes,
    read_backgrounds,
    read_foregrounds,
)

_DRAWN = re.compile(r"(drawn(?:_\w+)?):(\d+)")


def _draw_street(index: int, side: int) -> np.ndarray:
    return procedural.draw_street(index, side).image


def _draw_scene(index: int, side: int) -> np.ndarray:
    return procedural.draw_scene(index, side, pasted=0.0).image


def _draw_cutout(index: int) -> np.ndarray:
    return procedural.draw_cutout(np.random.default_rng([index, 0xC0])).rgba


_CUTOUTS = {  # what a source draws, and its noun
    "drawn": ("vehicle", procedural.draw_vehicle),
    "drawn_cutouts": ("cutout", _draw_cutout),
}
_PHOTOS = {
    "drawn": ("street", _draw_street),
    "drawn_scenes": ("scene", _draw_scene),
}


@dataclasses.dataclass(frozen=True)
class Sources:
    """The origin of cut-outs and photos.

    Attributes:
      foregrounds: A folder of cut-outs, or 'drawn:N' for N drawn vehicles, or
        'drawn_cutouts:N' for N drawn vehicles, people, plants and things.
      backgrounds: A folder of photos, and of subfolders of several photos of one
        scene, or 'drawn:N' for N drawn streets, or 'drawn_scenes:N' for N drawn
        streets, roads, open places and rooms in all weathers.
      image_size: The side of the square composites, pixels.
    """

    foregrounds: str
    backgrounds: str
    image_size: int

    @functools.cached_property
    def foreground_names(self) -> tuple[str, ...]:
        """The cut-outs' names, in the recipe's order, read without opening any."""
        return _list_names(self.foregrounds, _CUTOUTS, list_pictures)

    @functools.cached_property
    def background_names(self) -> tuple[str, ...]:
        """The scenes' names, in the recipe's order, read without opening a photo."""
        return _list_names(self.backgrounds, _PHOTOS, list_scenes)

    @property
    def foregrounds_drawn(self) -> int:
        """Number of drawn cut-outs; 0 where they come from a folder."""
        return _count_drawn(self.foregrounds, _CUTOUTS)

    @property
    def backgrounds_drawn(self) -> int:
        """Number of drawn photos; 0 where they come from a folder."""
        return _count_drawn(self.backgrounds, _PHOTOS)

    @property
    def is_drawn(self) -> bool:
        """Whether this package draws all pictures."""
        return bool(self.foregrounds_drawn and self.backgrounds_drawn)

    def read_foregrounds(self) -> tuple[Picture, ...]:
        """Reads or draws the cut-outs in the recipe's order, uint8 [h, w, 4]."""
        if not self.foregrounds_drawn:
            return read_foregrounds(self.foregrounds, self.image_size)
        _, draw = _CUTOUTS[_read_kind(self.foregrounds)]
        return tuple(
            Picture(name, draw(index))
            for index, name in enumerate(self.foreground_names)
        )

    def read_backgrounds(self) -> tuple[Picture, ...]:
        """Reads or draws the photos in the recipe's order, uint8 [S, S, 3]."""
        if not self.backgrounds_drawn:
            return read_backgrounds(self.backgrounds, self.image_size)
        _, draw = _PHOTOS[_read_kind(self.backgrounds)]
        return tuple(
            Picture(name, draw(index, self.image_size))
            for index, name in enumerate(self.background_names)
        )


def describe_source(drawn: int, names: Sequence[str]) -> str:
    """Describes the source of some pictures, such as '10 drawn' or '12 pictures'."""
    return f"{drawn} drawn" if drawn else f"{len(names)} pictures"


def _read_kind(source: str) -> str:
    match = _DRAWN.fullmatch(source)
    return match[1] if match else ""


def _count_drawn(source: str, kinds: Mapping[str, object]) -> int:
    match = _DRAWN.fullmatch(source)
    return int(match[2]) if match and match[1] in kinds else 0


def _list_names(
    source: str,
    kinds: Mapping[str, tuple[str, Callable[..., object]]],
    list_folder: Callable[[str], Iterable[str]],
) -> tuple[str, ...]:
    if count := _count_drawn(source, kinds):
        noun, _ = kinds[_read_kind(source)]
        return tuple(f"{noun}_{index:03d}" for index in range(count))
    return tuple(list_folder(source))
