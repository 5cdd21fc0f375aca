"""The pictures that a data set is composed of: folders of them, or drawn ones."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Callable, Iterable, Sequence

from fgbg_tfds import procedural
from fgbg_tfds.compose.pictures import (
    Picture,
    list_pictures,
    list_scenes,
    read_backgrounds,
    read_foregrounds,
)

_DRAWN = re.compile(r"drawn:(\d+)")


@dataclasses.dataclass(frozen=True)
class Sources:
    """The origin of cut-outs and photos.

    Attributes:
      foregrounds: A folder of cut-outs, or 'drawn:N' for N drawn vehicles.
      backgrounds: A folder of photos, and of subfolders of several photos of one
        scene, or 'drawn:N' for N drawn streets.
      image_size: The side of the square composites, pixels.
    """

    foregrounds: str
    backgrounds: str
    image_size: int

    @functools.cached_property
    def foreground_names(self) -> tuple[str, ...]:
        """The cut-outs' names, in the recipe's order, read without opening any."""
        return _list_names(self.foregrounds, "vehicle")

    @functools.cached_property
    def background_names(self) -> tuple[str, ...]:
        """The scenes' names, in the recipe's order, read without opening a photo."""
        return _list_names(self.backgrounds, "street", list_scenes)

    @property
    def foregrounds_drawn(self) -> int:
        """Number of drawn cut-outs; 0 where they come from a folder."""
        return _count_drawn(self.foregrounds)

    @property
    def backgrounds_drawn(self) -> int:
        """Number of drawn photos; 0 where they come from a folder."""
        return _count_drawn(self.backgrounds)

    @property
    def is_drawn(self) -> bool:
        """Whether this package draws all pictures."""
        return bool(self.foregrounds_drawn and self.backgrounds_drawn)

    def read_foregrounds(self) -> tuple[Picture, ...]:
        """Reads or draws the cut-outs in the recipe's order, uint8 [h, w, 4]."""
        if not self.foregrounds_drawn:
            return read_foregrounds(self.foregrounds, self.image_size)
        return tuple(
            Picture(name, procedural.draw_vehicle(index))
            for index, name in enumerate(self.foreground_names)
        )

    def read_backgrounds(self) -> tuple[Picture, ...]:
        """Reads or draws the photos in the recipe's order, uint8 [S, S, 3]."""
        if not self.backgrounds_drawn:
            return read_backgrounds(self.backgrounds, self.image_size)
        return tuple(
            Picture(name, procedural.draw_street(index, self.image_size).image)
            for index, name in enumerate(self.background_names)
        )


def describe_source(drawn: int, names: Sequence[str]) -> str:
    """Describes the source of some pictures, such as '10 drawn' or '12 pictures'."""
    return f"{drawn} drawn" if drawn else f"{len(names)} pictures"


def _count_drawn(source: str) -> int:
    match = _DRAWN.fullmatch(source)
    return int(match[1]) if match else 0


def _list_names(
    source: str, noun: str, list_folder: Callable[[str], Iterable[str]] = list_pictures
) -> tuple[str, ...]:
    if count := _count_drawn(source):
        return tuple(f"{noun}_{index:03d}" for index in range(count))
    return tuple(list_folder(source))
