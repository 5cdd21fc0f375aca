"""What a data set says of itself, for people and for programs."""

from __future__ import annotations

from fgbg_tfds.compose import encoding
from fgbg_tfds.compose import ground_depth as geometry
from fgbg_tfds.depth import TeacherCard
from fgbg_tfds.settings import NO_TEACHER, Settings

LABELLING_RULES = {
    "composite": "The teacher looked at every composite before its JPEG encoding.",
    "geometric": geometry.RULE,
}


def config_description(settings: Settings) -> str:
    """Returns a sentence or two on a config, without reading anything."""
    teacher = (
        "no depth (0 everywhere)"
        if settings.teacher == NO_TEACHER
        else f"depth by the {settings.teacher} teacher ({settings.weights_name})"
    )
    flips = ", mirrored and not" if settings.flips else ""
    return (
        f"Foregrounds: {settings.source_name('foregrounds')}; backgrounds: "
        f"{settings.source_name('backgrounds')}; {settings.placements} placements"
        f"{flips}; {settings.image_size}x{settings.image_size} pixels; {teacher}."
    )


def build_metadata(
    settings: Settings, card: TeacherCard | None, fingerprint: str
) -> dict[str, object]:
    """Returns what `metadata.json` says beside the data, as JSON values."""
    return {
        "fingerprint": fingerprint,
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
                        settings.recipe.foregrounds,
                        settings.recipe.foreground_splits,
                        strict=True,
                    )
                ),
                "backgrounds": dict(
                    zip(
                        settings.recipe.backgrounds,
                        settings.recipe.background_splits,
                        strict=True,
                    )
                ),
            },
        },
    }
