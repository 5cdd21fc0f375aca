"""The settings of a data set: the fields of a JSON config, checked."""

from __future__ import annotations

import dataclasses
import difflib
import pathlib
from collections.abc import Mapping
from typing import Any

from fgbg_tfds.depth import PRECISIONS, TEACHERS
from fgbg_tfds.errors import InputError

NO_TEACHER = "none"
LABELLINGS = ("composite", "geometric")
MIN_IMAGE_SIZE, MAX_IMAGE_SIZE = 32, 4096


@dataclasses.dataclass(frozen=True)
class Settings:
    """The settings that decide a data set's bytes, together with its pictures.

    It is a plain value: it reads no file.

    Attributes:
      foregrounds: A folder of cut-outs, or 'drawn:N' for N drawn vehicles, or
        'drawn_cutouts:N' for N drawn vehicles, people, plants and things.
      backgrounds: A folder of photos, and of subfolders of several photos of one
        scene, or 'drawn:N' for N drawn streets, or 'drawn_scenes:N' for N drawn
        streets, roads, open places and rooms in all weathers.
      teacher: The network that labels depth: one of `depth.TEACHERS`, or 'none' for
        depth 0, unknown.
      weights: The teacher's weights, as `depth.load_teacher` takes them; None
        for the embedded ones.
      precision: The teacher's precision, as `depth.load_teacher` takes it.
      labelling: 'composite': the teacher labels every composite. 'geometric': it
        labels every background, and the object's depth follows from its place
        (see `compose.ground_depth`).
      placements: Number of places for each foreground on each background.
      flips: Whether every placement has a mirrored twin.
      scale: Minimum and maximum of a foreground's longest side, as a fraction of the
        picture's side.
      image_size: The side of the square pictures, pixels.
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
        self._require_one_of("teacher", (*TEACHERS, NO_TEACHER))
        self._require_one_of("labelling", LABELLINGS)
        self._require_one_of("precision", PRECISIONS)
        if self.teacher == NO_TEACHER:
            for field in ("weights", "labelling", "precision"):
                if getattr(self, field) != getattr(Settings, field):
                    raise InputError(
                        f"{field}: {getattr(self, field)!r} is for a teacher, and "
                        f"teacher is {NO_TEACHER!r}; leave it out, or name a teacher"
                    )
        if not MIN_IMAGE_SIZE <= self.image_size <= MAX_IMAGE_SIZE:
            raise InputError(
                f"image_size: {self.image_size}; give {MIN_IMAGE_SIZE} to "
                f"{MAX_IMAGE_SIZE} pixels"
            )
        if not self._is_pair_of_numbers(self.scale):
            raise InputError(
                f"scale: {self.scale!r}; give two numbers, the minimum and the maximum "
                "longest side of a foreground as fractions of the picture's side"
            )
        object.__setattr__(self, "scale", tuple(map(float, self.scale)))

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Settings:
        """Makes settings from JSON values; an unknown field is an InputError."""
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

    @property
    def weights_name(self) -> str:
        """Name of the weights, without their folder."""
        return pathlib.Path(self.weights).name if self.weights else "embedded"

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
