"""Which composites a data set has, where each stands, and in which split.

Everything here is arithmetic on names and a seed: no picture is touched, and
nothing depends on numpy's or Python's random streams, so a recipe is the same
on every machine and in every version.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections.abc import Iterator, Sequence

import numpy as np

from fgbg_tfds.errors import InputError

SPLITS = ("train", "validation", "test", "cross")
IDENTITY_SPLITS = SPLITS[:3]


@dataclasses.dataclass(frozen=True)
class Placement:
    """Where and how large a foreground stands, whatever its picture's size.

    Attributes:
      scale: The longest side as a part of the composite's side, in 0..1.
      left: The part of the free width that is left of the foreground, in 0..1.
      top: The part of the free height that is above the foreground, in 0..1.
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
      flipped: Whether the foreground is mirrored; its twin that is not stands
        at the same place.
    """

    foreground: int
    background: int
    placement: int
    flipped: bool


@dataclasses.dataclass(frozen=True)
class Recipe:
    """The whole list of composites: a pure function of its fields.

    Attributes:
      foregrounds: The foregrounds' names, unique.
      backgrounds: The backgrounds' names, unique.
      placements: Places for each foreground on each background.
      flips: Whether every placement has a mirrored twin.
      scale: Least and greatest longest side of a foreground as a part of the
        composite's side. (80/224, 80/224) is the original project's.
      seed: Any integer.

    Raises:
      InputError: If a field cannot be used; the message names it.
    """

    foregrounds: tuple[str, ...]
    backgrounds: tuple[str, ...]
    placements: int = 20
    flips: bool = True
    scale: tuple[float, float] = (0.2, 0.5)
    seed: int = 0

    def __post_init__(self):
        for field in ("foregrounds", "backgrounds"):
            count = len(set(getattr(self, field)))
            if count < len(IDENTITY_SPLITS):
                raise InputError(
                    f"{field}: {count} picture(s); at least {len(IDENTITY_SPLITS)} are "
                    "needed, so that train, validation and test get one each"
                )
        if self.placements < 1:
            raise InputError(f"placements: {self.placements}; at least 1 is needed")
        least, greatest = self.scale
        if not 0 < least <= greatest <= 1:
            raise InputError(
                f"scale: {list(self.scale)}; give the least and the greatest longest "
                "side as parts of the picture's side, 0 < least <= greatest <= 1"
            )

    def __len__(self) -> int:
        return self._pairs * self.placements * (1 + self.flips)

    def placement(self, composite: Composite) -> Placement:
        """Returns where a composite's foreground stands."""
        scale, left, top = _uniform(
            self.seed,
            "placement",
            self.foregrounds[composite.foreground],
            self.backgrounds[composite.background],
            composite.placement,
        )
        least, greatest = self.scale
        return Placement(least + (greatest - least) * scale, left, top)

    def key(self, composite: Composite) -> str:
        """Returns a composite's name, unique in the recipe, of one line."""
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
        return _deal(self.foregrounds, self.seed, "foreground")

    @functools.cached_property
    def background_splits(self) -> tuple[str, ...]:
        """The identity split of each background."""
        return _deal(self.backgrounds, self.seed, "background")

    def split_of(self, composite: Composite) -> str:
        """Returns the split of a composite: its pictures', or 'cross'."""
        foreground = self.foreground_splits[composite.foreground]
        background = self.background_splits[composite.background]
        return foreground if foreground == background else "cross"

    def composite(self, number: int) -> Composite:
        """Returns a composite by its place in `composites`, from 0."""
        number, flipped = divmod(number, 1 + self.flips)
        number, placement = divmod(number, self.placements)
        foreground, background = divmod(number, len(self.backgrounds))
        return Composite(foreground, background, placement, bool(flipped))

    def composites(self) -> Iterator[Composite]:
        """Enumerates all composites, foreground by foreground."""
        return map(self.composite, range(len(self)))

    @functools.cached_property
    def splits(self) -> dict[str, Composites]:
        """Each split's composites, shuffled by the seed; empty splits are left out."""
        digests = np.fromiter(
            (
                int.from_bytes(_digest(self.seed, "order", self.key(composite))[:8])
                for composite in self.composites()
            ),
            np.uint64,
            count=len(self),
        )
        order = np.argsort(digests, kind="stable")
        split = self._split_numbers()[order // (len(self) // self._pairs)]
        members = (order[split == number] for number in range(len(SPLITS)))
        return {
            name: Composites(self, numbers)
            for name, numbers in zip(SPLITS, members, strict=True)
            if len(numbers)
        }

    @property
    def _pairs(self) -> int:
        return len(self.foregrounds) * len(self.backgrounds)

    def _split_numbers(self) -> np.ndarray:
        """Returns each pair's split as an index into `SPLITS`, int64 [pairs]."""
        foregrounds, backgrounds = (
            np.array([IDENTITY_SPLITS.index(split) for split in splits])
            for splits in (self.foreground_splits, self.background_splits)
        )
        agree = foregrounds[:, None] == backgrounds
        return np.where(agree, backgrounds, SPLITS.index("cross")).ravel()


class Composites(Sequence[Composite]):
    """A split's composites in order, 8 bytes each until they are asked for."""

    def __init__(self, recipe: Recipe, numbers: np.ndarray):
        self._recipe = recipe
        self._numbers = numbers

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, place):
        if isinstance(place, slice):
            return Composites(self._recipe, self._numbers[place])
        return self._recipe.composite(int(self._numbers[place]))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None


def _digest(*parts: object) -> bytes:
    return hashlib.blake2b("\n".join(map(str, parts)).encode(), digest_size=24).digest()


def _uniform(*parts: object) -> tuple[float, float, float]:
    """Returns three numbers in 0..1 that depend on nothing but `parts`."""
    digest = _digest(*parts)
    return tuple(
        (int.from_bytes(digest[start : start + 8], "little") >> 11) / 2**53
        for start in (0, 8, 16)
    )


def _deal(names: Sequence[str], seed: int, kind: str) -> tuple[str, ...]:
    """Deals pictures to the identity splits, 8 : 1 : 1, at least one each."""
    order = sorted(range(len(names)), key=lambda i: _digest(seed, kind, names[i]))
    held_out = max(1, round(len(names) / 10))
    splits = ["train"] * len(names)
    for place, index in enumerate(order[: 2 * held_out]):
        splits[index] = "test" if place < held_out else "validation"
    return tuple(splits)
