"""What an exported network says of itself, in files beside its graph."""

from __future__ import annotations

import hashlib
import json
import pathlib
from typing import Any

from trainer.files import write_atomically
from trainer.runs import Run

RECORD = "assets.extra/export.json"  # a folder that SavedModel keeps for others' files

_README = """\
# {model}: what is new before a fixed camera, and how far it is

Made by `python -m trainer.main`: step {step} of a training on {dataset} (fingerprint
{fingerprint}).

| signature | takes |
|---|---|
| `images(bg, fgbg)` | uint8 [N, h, w, 3], sRGB: empty scene, scene as it is |
| `serving_default(bg_bytes, fgbg_bytes)` | string [N]: the same, as picture files |
{spread}
All answer `mask`, float32 [N, H, W, 1], 0 to 1, the probability that a pixel is new,
and `depth`, float32 [N, H, W, 1], metres. {answered}
To no pairs, N = 0, they answer with none.

Picture files are JPEG, PNG, WebP, BMP and GIF, of whose animations the first picture
is taken. They are turned as their EXIF orientation says, 16 bits are scaled to 8, and
what is transparent in a PNG lies on black. TensorFlow applies no ICC profiles, and
reads neither TIFF, AVIF, JPEG 2000 nor HEIC: convert such pictures to sRGB yourself,
and give them to `images`.
"""

_SPREAD = """\
| `images_with_spread(bg, fgbg, spread)` | the same, and uint8 [N, h, w, 1], \
grey levels that the empty scene varies by, 0 where it is calm |
"""


def describe(run: Run, size: tuple[int, int]) -> dict[str, Any]:
    """Describes an exported run, so that two descriptions differ if the exports do.

    Args:
      run: The run.
      size: Height and width of the answers of a network that is made for one size.
    """
    weights = hashlib.sha256()
    for weight in run.network.model.weights:
        weights.update(weight.numpy().tobytes())
    return {
        "model": run.model,
        "step": run.step,
        "dataset": run.mixture.full_name,
        "fingerprint": run.mixture.fingerprint,
        "answer_size": None if run.network.multiple else list(size),
        "weights_sha256": weights.hexdigest(),
        # Left out where it says nothing, so that earlier exports are known again.
        **({"spread": True} if run.network.spread else {}),
    }


def read_description(folder: pathlib.Path) -> dict[str, Any] | None:
    """Reads the description of an exported network; None where it has none."""
    try:
        return json.loads((folder / RECORD).read_text("utf-8"))
    except (OSError, ValueError):
        return None


def write_description(folder: pathlib.Path, description: dict[str, Any]) -> None:
    """Writes a description for programs, and one for people.

    Args:
      folder: Folder of the SavedModel.
      description: That of `describe`.

    Raises:
      UserError: If it cannot be written.
    """
    write_atomically(folder / RECORD, json.dumps(description, indent=2) + "\n")
    size = description["answer_size"]
    answered = (
        f"H x W is {size[0]} x {size[1]}."
        if size
        else "H x W is the size of the (first) composite."
    )
    spread = _SPREAD if description.get("spread") else ""
    text = _README.format(**description | {"answered": answered, "spread": spread})
    write_atomically(folder / "assets.extra" / "README.md", text)
