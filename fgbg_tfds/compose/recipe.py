"""The recipe: all composites of a data set, their placements and their splits.

It is arithmetic on names and a seed. It reads no picture and uses no random stream of
numpy's or Python's, so that it is the same on every machine and in every version.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from fgbg_tfds.errors import InputError

SPLITS = ("train", "validation", "test", "cross")
IDENTITY_SPLITS = SPLITS[:3]


@dataclasses.dataclass(frozen=True)
class Placement:
    """Place and size of a foreground, relative to the composite.

    Attributes:
      scale: The longest side as a fraction of the composite's side.
      left: The fraction of the free width that is left of the foreground.
      top: The fraction of the free height that is above the foreground.
    """

    scale: float
    left: float
    top: float


@dataclasses.dataclass(frozen=True)
class Composite:
    """One composite of a recipe.

    Attributes:
      foreground: Index into the recipe's foregrounds.
      background: Index into the recipe's backgrounds.
      placement: 0 ... placements-1.
      flipped: Whether the foreground is mirrored; its unmirrored twin stands at the
        same place.
    """

    foreground: int
    background: int
    placement: int
    flipped: bool


@dataclasses.dataclass(frozen=True)
class Recipe:
    """The list of all composites, a pure function of its fields.

    Attributes:
      foregrounds: The foregrounds' names, unique.
      backgrounds: The backgrounds' names, unique.
      placements: Number of places for each foreground on each background.
      flips: Whether every placement has a mirrored twin.
      scale: Minimum and maximum of a foreground's longest side, as a fraction of the
        composite's side; (80/224, 80/224) in the original project.
      seed: Any integer.
      foreground_identities: The name of each foreground's identity: that of the first
        foreground with the same pixels. Empty if all differ.
      background_identities: The same of the backgrounds.

    Raises:
      InputError: If a field cannot be used; the message names it.
    """

    foregrounds: tuple[str, ...]
    backgrounds: tuple[str, ...]
    placements: int = 20
    flips: bool = True
    scale: tuple[float, float] = (0.2, 0.5)
    seed: int = 0
    foreground_identities: tuple[str, ...] = ()
    background_identities: tuple[str, ...] = ()

    def __post_init__(self):
        for kind in ("foreground", "background"):
            names = getattr(self, f"{kind}s")
            different = len(set(getattr(self, f"{kind}_identities") or names))
            if different < len(IDENTITY_SPLITS):
                raise InputError(
                    f"{kind}s: {different} different picture(s) in {len(names)} "
                    f"file(s); at least {len(IDENTITY_SPLITS)} are needed, so that "
                    "train, validation and test get one each"
                )
        if self.placements < 1:
            raise InputError(f"placements: {self.placements}; at least 1 is needed")
        low, high = self.scale
        if not 0 < low <= high <= 1:
            raise InputError(
                f"scale: {list(self.scale)}; give the minimum and the maximum longest "
                "side as fractions of the picture's side, 0 < minimum <= maximum <= 1"
            )

    def __len__(self) -> int:
        return self._pairs * self.placements * (1 + self.flips)

    def find_placement(self, composite: Composite) -> Placement:
        """Finds place and size of a composite's foreground."""
        scale, left, top = _draw_uniform(
            self.seed,
            "placement",
            self.foregrounds[composite.foreground],
            self.backgrounds[composite.background],
            composite.placement,
        )
        low, high = self.scale
        return Placement(low + (high - low) * scale, left, top)

    def choose_photos(self, composite: Composite, number: int) -> tuple[int, int]:
        """Chooses photos of a composite's scene: to paste on, and to be the empty one.

        Args:
          composite: The composite; its mirrored twin has the same photos.
          number: Number of photos of its scene.

        Returns:
          Two indices, different ones where the scene has several photos.
        """
        if number == 1:
            return 0, 0
        pasted, other, _ = _draw_uniform(
            self.seed,
            "photos",
            self.foregrounds[composite.foreground],
            self.backgrounds[composite.background],
            composite.placement,
        )
        first = int(pasted * number)
        return first, (first + 1 + int(other * (number - 1))) % number

    def make_key(self, composite: Composite) -> str:
        """Makes a composite's key: one line, unique in the recipe."""
        return "/".join(
            (
                self.foregrounds[composite.foreground],
                self.backgrounds[composite.background],
                str(composite.placement),
                "flipped" if composite.flipped else "plain",
            )
        )

    @functools.cached_property
    def foreground_splits(self) -> tuple[str, ...]:
        """The identity split of each foreground."""
        identities = self.foreground_identities or self.foregrounds
        return _assign_splits(identities, self.seed, "foreground")

    @functools.cached_property
    def background_splits(self) -> tuple[str, ...]:
        """The identity split of each background."""
        identities = self.background_identities or self.backgrounds
        return _assign_splits(identities, self.seed, "background")

    def get_composite(self, number: int) -> Composite:
        """Returns a composite by its place in `iterate`, from 0."""
        number, flipped = divmod(number, 1 + self.flips)
        number, placement = divmod(number, self.placements)
        foreground, background = divmod(number, len(self.backgrounds))
        return Composite(foreground, background, placement, bool(flipped))

    def iterate(self) -> Iterator[Composite]:
        """Iterates over all composites, foreground by foreground."""
        return map(self.get_composite, range(len(self)))

    @functools.cached_property
    def splits(self) -> dict[str, Composites]:
        """Each split's composites, shuffled by the seed; empty splits are left out."""
        digests = np.fromiter(
            (
                int.from_bytes(
                    _digest(self.seed, "order", self.make_key(composite))[:8]
                )
                for composite in self.iterate()
            ),
            np.uint64,
            count=len(self),
        )
        order = np.argsort(digests, kind="stable")
        split = self._find_splits()[order // (len(self) // self._pairs)]
        members = (order[split == number] for number in range(len(SPLITS)))
        return {
            name: Composites(self, numbers)
            for name, numbers in zip(SPLITS, members, strict=True)
            if len(numbers)
        }

    @property
    def _pairs(self) -> int:
        return len(self.foregrounds) * len(self.backgrounds)

    def _find_splits(self) -> np.ndarray:
        """Finds each pair's split as an index into `SPLITS`, int64 [pairs]."""
        foregrounds, backgrounds = (
            np.array([IDENTITY_SPLITS.index(split) for split in splits])
            for splits in (self.foreground_splits, self.background_splits)
        )
        agree = foregrounds[:, None] == backgrounds
        return np.where(agree, backgrounds, SPLITS.index("cross")).ravel()


class Composites(Sequence[Composite]):
    """The composites of a split in order; each takes 8 bytes until it is read."""

    def __init__(self, recipe: Recipe, numbers: np.ndarray):
        self._recipe = recipe
        self._numbers = numbers

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, place) -> Any:
        if isinstance(place, slice):
            return Composites(self._recipe, self._numbers[place])
        return self._recipe.get_composite(int(self._numbers[place]))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # pyright: ignore[reportAssignmentType]


def _digest(*parts: object) -> bytes:
    return hashlib.blake2b("\n".join(map(str, parts)).encode(), digest_size=24).digest()


def _draw_uniform(*parts: object) -> tuple[float, float, float]:
    """Derives three numbers in 0..1 from `parts` alone."""
    digest = _digest(*parts)
    first, second, third = (
        (int.from_bytes(digest[start : start + 8], "little") >> 11) / 2**53
        for start in (0, 8, 16)
    )
    return first, second, third


def _assign_splits(identities: Sequence[str], seed: int, kind: str) -> tuple[str, ...]:
    """Assigns identities to the splits, 8 : 1 : 1, at least one each."""
    order = sorted(set(identities), key=lambda name: _digest(seed, kind, name))
    held_out = max(1, round(len(order) / 10))
    splits = dict.fromkeys(order, "train")
    splits |= dict.fromkeys(order[: 2 * held_out], "validation")
    splits |= dict.fromkeys(order[:held_out], "test")
    return tuple(splits[identity] for identity in identities)
