"""The network's answers as files hold them, and pictures of them."""

from __future__ import annotations

import dataclasses
import io
import pathlib

import numpy as np
import PIL.Image

from trainer import figures
from trainer.contract import DEPTH_UNITS, MAX_ALPHA

KINDS = {
    "mask": "8-bit PNG, 255 is certainly new",
    "depth": "16-bit PNG, metres = value / 256",
    "depth_view": "depth as colour: bright is 1 m, dark is 80 m",
    "overlay": "the frame with new pixels in red",
    "objects": "objects.jsonl, boxes and distances of a frame in a line; timeline.png",
    "coco": "objects_coco.json, boxes and masks as COCO's results; needs pycocotools",
}
DEFAULT_KINDS = tuple(kind for kind in KINDS if kind != "coco")
SUFFIXES = {"mask": ".png", "depth": ".png", "depth_view": ".jpg", "overlay": ".jpg"}
FILMED = ("depth_view", "overlay")  # kinds that become videos if the frames are one


@dataclasses.dataclass(frozen=True)
class Answer:
    """The answer for one frame, rounded as its files hold it.

    Attributes:
      mask: uint8 [H, W]; 255 is certainly new.
      depth: uint16 [H, W], in 1/256 m; 0 would be unknown, and does not occur.
    """

    mask: np.ndarray
    depth: np.ndarray


def round_answer(mask: np.ndarray, depth: np.ndarray) -> Answer:
    """Rounds what the network gives.

    Args:
      mask: float32 [H, W, 1], 0 to 1.
      depth: float32 [H, W, 1], metres.
    """
    return Answer(
        _round(np.clip(mask[..., 0], 0, 1) * MAX_ALPHA, np.uint8, 0),
        _round(depth[..., 0] * DEPTH_UNITS, np.uint16, 1),
    )


def locate_answer(folder: pathlib.Path, kind: str, name: str) -> pathlib.Path:
    """Names the file of an answer.

    Args:
      folder: Folder of all answers.
      kind: One of `SUFFIXES`.
      name: Name of the frame.
    """
    return folder / kind / f"{name}{SUFFIXES[kind]}"


def read_answer(
    folder: pathlib.Path, name: str, size: tuple[int, ...]
) -> Answer | None:
    """Reads an answer that was written before.

    Args:
      folder: Folder of all answers.
      name: Name of the frame.
      size: Its height and width.

    Returns:
      The answer; None if mask or depth is missing, broken, or of another size.
    """
    pictures = []
    for kind, dtype in (("mask", np.uint8), ("depth", np.uint16)):
        try:
            with PIL.Image.open(locate_answer(folder, kind, name)) as image:
                pixels = np.asarray(image)
        except (OSError, SyntaxError, ValueError):
            return None
        if pixels.dtype != dtype or pixels.shape != tuple(size):
            return None
        pictures.append(pixels)
    return Answer(*pictures)


def draw_answer(frame: np.ndarray, answer: Answer, kind: str) -> np.ndarray:
    """Draws one kind of picture of an answer.

    Args:
      frame: uint8 [H, W, 3].
      answer: Its answer.
      kind: One of `SUFFIXES`.

    Returns:
      The answer's own mask or depth, or uint8 [H, W, 3].
    """
    match kind:
        case "mask":
            return answer.mask
        case "depth":
            return answer.depth
        case "depth_view":
            return figures.colour_depth(answer.depth[..., None] / DEPTH_UNITS)
        case "overlay":
            return figures.draw_overlay(frame, answer.mask[..., None] / MAX_ALPHA)
    raise ValueError(f"{kind} is none of {', '.join(SUFFIXES)}")


def encode_picture(picture: np.ndarray, suffix: str) -> bytes:
    """Encodes a picture as PNG or JPEG.

    Args:
      picture: uint8 or uint16 [H, W], or uint8 [H, W, 3].
      suffix: '.png' or '.jpg'.
    """
    memory = io.BytesIO()
    if suffix == ".png":
        PIL.Image.fromarray(picture).save(memory, "PNG", compress_level=1)
    else:
        PIL.Image.fromarray(picture).save(memory, "JPEG", quality=92)
    return memory.getvalue()


def _round(values: np.ndarray, dtype, minimum: int) -> np.ndarray:
    return np.clip(np.rint(values), minimum, np.iinfo(dtype).max).astype(dtype)
