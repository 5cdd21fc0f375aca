"""What a user may say of a data set, checked: the fields of a JSON config."""

from __future__ import annotations

import dataclasses
import difflib
import functools
import hashlib
import json
import pathlib
import re
from collections.abc import Mapping, Sequence

from fgbg_tfds import depth
from fgbg_tfds.compose import pictures
from fgbg_tfds.compose.pictures import Picture
from fgbg_tfds.compose.recipe import Recipe
from fgbg_tfds.depth.embedded.weight_file import EMBEDDED
from fgbg_tfds.errors import InputError

NO_TEACHER = "none"
LABELLINGS = ("composite", "geometric")
DRAWN = re.compile(r"drawn:(\d+)")
# Raise it when the same settings and pictures come to give other bytes.
GENERATION = 1


@dataclasses.dataclass(frozen=True)
class Settings:
    """All that decides a data set's bytes, but for the pictures themselves.

    Attributes:
      foregrounds: A folder of cut-outs, or 'drawn:N' for N drawn vehicles.
      backgrounds: A folder of photos, or 'drawn:N' for N drawn streets.
      teacher: Who labels depth: one of `depth.TEACHERS`, or 'none' (depth is 0,
        unknown).
      weights: The teacher's weights, as `depth.load_teacher` takes them; None
        for the embedded ones.
      precision: The teacher's precision, as `depth.load_teacher` takes it.
      labelling: 'composite': the teacher looks at every composite; 'geometric':
        it looks at every background, and the object's depth follows from where
        it stands (see `geometry`).
      placements: Places for each foreground on each background.
      flips: Whether every placement has a mirrored twin.
      scale: Least and greatest longest side of a foreground as a part of the
        picture's side.
      image_size: The side of the square pictures, in pixels.
      seed: Any integer; it decides places and splits.

    Raises:
      InputError: If a field cannot be used; the message names it.
    """

    foregrounds: str = "drawn:10"
    backgrounds: str = "drawn:10"
    teacher: str = "embedded"
    weights: str | None = None
    precision: str = "auto"
    labelling: str = "composite"
    placements: int = 20
    flips: bool = True
    scale: tuple[float, float] = (0.2, 0.5)
    image_size: int = 224
    seed: int = 0

    def __post_init__(self):
        for field in ("foregrounds", "backgrounds", "teacher", "labelling"):
            self._require(field, str)
        for field in ("placements", "image_size", "seed"):
            self._require(field, int)
        self._require("flips", bool)
        if self.weights is not None:
            self._require("weights", str)
        teachers = (*depth.TEACHERS, NO_TEACHER)
        self._require_one_of("teacher", teachers)
        self._require_one_of("labelling", LABELLINGS)
        self._require_one_of("precision", depth.PRECISIONS)
        if not 32 <= self.image_size <= 4096:
            raise InputError(f"image_size: {self.image_size}; give 32 to 4096 pixels")
        if not self._is_pair_of_numbers(self.scale):
            raise InputError(
                f"scale: {self.scale!r}; give two numbers, the least and the greatest "
                "longest side of a foreground as parts of the picture's side"
            )
        object.__setattr__(self, "scale", tuple(map(float, self.scale)))

    def __getstate__(self):
        fields = {field.name for field in dataclasses.fields(self)}
        return {name: vars(self)[name] for name in fields}  # without the recipe

    @classmethod
    def from_json(cls, fields: Mapping[str, object]) -> Settings:
        """Makes settings of JSON values; an unknown field is an InputError."""
        known = [field.name for field in dataclasses.fields(cls)]
        for field in fields:
            if field not in known:
                near = difflib.get_close_matches(field, known, n=1)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                raise InputError(
                    f"config field {field!r} is unknown{hint} "
                    f"(known: name, {', '.join(known)})"
                )
        return cls(**fields)

    @functools.cached_property
    def recipe(self) -> Recipe:
        """The composites, from the pictures' names alone."""
        return Recipe(
            foregrounds=self._names("foregrounds", "vehicle"),
            backgrounds=self._names("backgrounds", "street"),
            placements=self.placements,
            flips=self.flips,
            scale=self.scale,
            seed=self.seed,
        )

    def read_foregrounds(self) -> tuple[Picture, ...]:
        """Returns the cut-outs in the recipe's order, uint8 [h, w, 4]."""
        if not self._drawn("foregrounds"):
            return pictures.read_foregrounds(self.foregrounds, self.image_size)
        from fgbg_tfds import procedural

        return tuple(
            Picture(name, procedural.draw_vehicle(index))
            for index, name in enumerate(self.recipe.foregrounds)
        )

    def read_backgrounds(self) -> tuple[Picture, ...]:
        """Returns the photos in the recipe's order, uint8 [S, S, 3]."""
        if not self._drawn("backgrounds"):
            return pictures.read_backgrounds(self.backgrounds, self.image_size)
        from fgbg_tfds import procedural

        return tuple(
            Picture(name, procedural.draw_street(index, self.image_size).image)
            for index, name in enumerate(self.recipe.backgrounds)
        )

    def fingerprint(
        self,
        foregrounds: Sequence[Picture] | None = None,
        backgrounds: Sequence[Picture] | None = None,
    ) -> str:
        """Returns a hex digest of all that decides the data set's bytes.

        Settings, the pictures' names and pixels and the weights' bytes go in;
        where the folders lie does not.

        Args:
          foregrounds: The cut-outs, if they were read already.
          backgrounds: The photos, if they were read already.
        """
        parts = dataclasses.asdict(self) | {
            "generation": GENERATION,
            "weights": self._weights_digest(),
        }
        for field, given, read in (
            ("foregrounds", foregrounds, self.read_foregrounds),
            ("backgrounds", backgrounds, self.read_backgrounds),
        ):
            if not self._drawn(field):
                chosen = read() if given is None else given
                parts[field] = [(picture.name, picture.sha256) for picture in chosen]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    @property
    def weights_name(self) -> str:
        """What the weights are called, without the folder they lie in."""
        return pathlib.Path(self.weights).name if self.weights else "embedded"

    def source_name(self, field: str) -> str:
        """What 'foregrounds' or 'backgrounds' come from, as a person would say it."""
        if count := self._drawn(field):
            return f"{count} drawn"
        return f"{len(getattr(self.recipe, field))} pictures"

    def _weights_digest(self) -> str:
        """Digests the weights' bytes; a name of downloaded weights stands for them."""
        if self.teacher == NO_TEACHER:
            return NO_TEACHER
        path = pathlib.Path(self.weights) if self.weights else EMBEDDED
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        files = [file for file in files if file.is_file()]
        digests = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
        return " ".join(digests) or str(self.weights)

    @property
    def is_drawn(self) -> bool:
        """Whether this package draws all pictures itself."""
        return all(self._drawn(field) for field in ("foregrounds", "backgrounds"))

    def _drawn(self, field: str) -> int:
        """Returns how many pictures are drawn, 0 where they come from a folder."""
        match = DRAWN.fullmatch(getattr(self, field))
        return int(match[1]) if match else 0

    def _names(self, field: str, noun: str) -> tuple[str, ...]:
        if count := self._drawn(field):
            return tuple(f"{noun}_{index:03d}" for index in range(count))
        return tuple(pictures.list_pictures(getattr(self, field)))

    def _require(self, field: str, kind: type) -> None:
        value = getattr(self, field)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise InputError(
                f"{field}: {value!r}; give a value of type {kind.__name__}"
            )

    def _require_one_of(self, field: str, choices: tuple[str, ...]) -> None:
        value = getattr(self, field)
        if value not in choices:
            raise InputError(
                f"{field}: {value!r} is unknown; use one of: {', '.join(choices)}"
            )

    @staticmethod
    def _is_pair_of_numbers(value: object) -> bool:
        return (
            isinstance(value, (list, tuple))
            and len(value) == 2
            and all(isinstance(part, (int, float)) for part in value)
        )
