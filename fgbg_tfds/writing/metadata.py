"""The metadata of a data set, for people and for programs."""

from __future__ import annotations

from fgbg_tfds.compose import RULE, Recipe, Sources, describe_source, encoding
from fgbg_tfds.depth import TeacherCard
from fgbg_tfds.settings import NO_TEACHER, Settings
from fgbg_tfds.writing.fingerprint import get_versions

LABELLING_RULES = {
    "composite": "The teacher looked at every composite before its JPEG encoding.",
    "geometric": RULE,
}


def describe_config(settings: Settings, sources: Sources) -> str:
    """Describes a config in a sentence or two, without opening a picture."""
    foregrounds = describe_source(sources.foregrounds_drawn, sources.foreground_names)
    backgrounds = describe_source(sources.backgrounds_drawn, sources.background_names)
    teacher = (
        "no depth (0 everywhere)"
        if settings.teacher == NO_TEACHER
        else f"depth by the {settings.teacher} teacher ({settings.weights_name})"
    )
    flips = ", mirrored and not" if settings.flips else ""
    return (
        f"Foregrounds: {foregrounds}; backgrounds: "
        f"{backgrounds}; {settings.placements} placements"
        f"{flips}; {settings.image_size}x{settings.image_size} pixels; {teacher}."
    )


def build_metadata(
    settings: Settings, recipe: Recipe, card: TeacherCard | None, fingerprint: str
) -> dict[str, object]:
    """Builds the content of `metadata.json`, which stands beside the data."""
    return {
        "fingerprint": fingerprint,
        "versions": get_versions(),
        "teacher": card.as_metadata() if card else {"name": NO_TEACHER},
        "labelling": {
            "mode": settings.labelling,
            "rule": LABELLING_RULES[settings.labelling],
        },
        "depth": {
            "unit": "1/256 metre",
            "unknown": 0,
            "decode": "metres = depth / 256 where depth > 0",
            "nearest_metres": encoding.NEAREST,
            "farthest_metres": encoding.FARTHEST,
            "relative_error": encoding.RELATIVE_ERROR,
            "metric": bool(card and card.metric),
        },
        "mask": {"unit": "alpha, 0 to 255", "decode": "foreground = mask >= 128"},
        "jpeg_quality": encoding.JPEG_QUALITY,
        "recipe": {
            "seed": settings.seed,
            "placements": settings.placements,
            "flips": settings.flips,
            "scale": list(settings.scale),
            "splits": {
                "foregrounds": dict(
                    zip(
                        recipe.foregrounds,
                        recipe.foreground_splits,
                        strict=True,
                    )
                ),
                "backgrounds": dict(
                    zip(
                        recipe.backgrounds,
                        recipe.background_splits,
                        strict=True,
                    )
                ),
            },
        },
    }
