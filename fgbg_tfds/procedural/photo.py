"""The path from light to a photo: camera and file format."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageFilter


def flare(
    colour: np.ndarray, depth: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Adds what bright light does to a lens: veils, blooms, and lamps at night.

    Args:
      colour: float32 [H, W, 3], 0 to 255.
      depth: float32 [H, W], metres; lamps are far.
      rng: Source of random effects and strengths.

    Returns:
      float32 [H, W, 3], not yet clipped.
    """
    height, width = depth.shape
    y, x = np.mgrid[:height, :width] / np.float32(height)
    colour = colour.copy()
    if rng.random() < 0.12:  # a veil that falls off from a light
        at, reach = rng.uniform(-0.2, 1.2, 2), rng.uniform(0.2, 0.9)
        away = np.hypot(y - at[0] * 0.7, x - at[1]) / reach
        veil = np.exp(-away) * rng.uniform(40, 190)
        colour += veil[..., None] * np.array([1.0, 0.98, 0.92], np.float32)
    if colour.mean() < 60 or rng.random() < 0.05:  # lamps
        for _ in range(int(rng.integers(0, 9))):
            at = rng.uniform(0.15, 0.75), rng.random()
            if depth[int(at[0] * height), int(at[1] * width)] < 8:
                continue
            away = np.hypot(y - at[0], x - at[1])
            size = rng.uniform(0.004, 0.03)
            lamp = 230 * np.exp(-np.square(away / size)) + 60 * np.exp(-away / size / 3)
            tint = np.array([1.0, rng.uniform(0.75, 1.0), rng.uniform(0.4, 1.0)])
            colour += lamp[..., None] * tint.astype(np.float32)
    if rng.random() < 0.12:  # bright parts bleed over their edges
        bright = Image.fromarray(np.clip(colour, 0, 255).astype(np.uint8))
        bright = bright.point([max(0, value - 170) * 3 for value in range(256)] * 3)
        blur = ImageFilter.GaussianBlur(rng.uniform(0.02, 0.08) * height)
        colour += np.asarray(bright.filter(blur), np.float32) * rng.uniform(0.3, 1.0)
    return colour


def develop(colour: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Develops a photo: exposure, colour cast, vignette, blur, noise, JPEG.

    Args:
      colour: float32 [H, W, 3], 0 to 255.
      rng: Source of random effects and strengths.

    Returns:
      uint8 [H, W, 3].
    """
    picture = np.clip(colour, 0, 255) / 255
    picture = picture ** np.exp(rng.normal(-0.05, 0.2)).astype(np.float32)
    contrast = rng.uniform(0.75, 1.35)
    picture = (picture - 0.45) * contrast + 0.45 + rng.normal(0.03, 0.05)
    grey = picture.mean(-1, keepdims=True)
    saturation = rng.uniform(0.4, 1.35) if rng.random() < 0.93 else 0.0
    picture = grey + (picture - grey) * saturation
    picture *= (1 + rng.normal(0, 0.05, 3)).astype(np.float32)
    if rng.random() < 0.4:
        size = picture.shape[0]
        place = np.linspace(-1, 1, size, dtype=np.float32)
        away = place[:, None] ** 2 + place[None] ** 2
        picture *= (1 - rng.uniform(0.05, 0.3) * away)[..., None]
    if rng.random() < 0.5:
        picture += rng.normal(0, rng.uniform(0.004, 0.05), picture.shape)
    image = Image.fromarray(np.clip(picture * 255, 0, 255).astype(np.uint8))
    if rng.random() < 0.5:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.2, 1.1)))
    if rng.random() < 0.15:
        image = image.filter(ImageFilter.UnsharpMask(1.2, int(rng.uniform(40, 160)), 0))
    if rng.random() < 0.7:
        file = io.BytesIO()
        image.save(file, "JPEG", quality=int(rng.integers(35, 96)))
        image = Image.open(file)
    return np.asarray(image)
