"""A picture and its depth, on which planes and cut-outs are drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image

from fgbg_tfds.procedural.camera import Camera
from fgbg_tfds.procedural.sprite import Sprite
from fgbg_tfds.procedural.swatches import Dressing
from fgbg_tfds.procedural.textures import Texture

NEAR = 0.25  # metres; nothing is drawn nearer
SKY = 1e4  # metres, until the depth is clipped


class Canvas:
    """The colour and depth of every pixel; the nearest of the things drawn stays.

    Attributes:
      camera: The camera.
      colour: float32 [size, size, 3], 0 to 255.
      depth: float32 [size, size], metres along the camera's axis.
      dressing: Roughens surfaces and cut-outs with pieces of photos; None leaves
        them as they were painted.
    """

    def __init__(self, camera: Camera, dressing: Dressing | None = None):
        self.camera = camera
        self.dressing = dressing
        self.colour = np.zeros((camera.size, camera.size, 3), np.float32)
        self.depth = np.full((camera.size, camera.size), SKY, np.float32)
        self._eye = camera.eye.astype(np.float32)

    def _find_window(self, corners: np.ndarray) -> tuple[slice, slice] | None:
        """Finds the rows and columns that a polygon [n, 3] can cover."""
        ahead = (corners - self.camera.eye) @ self.camera.rotation[2]
        kept = []
        for index in range(len(corners)):
            here, there = ahead[index - 1], ahead[index]
            if (here > NEAR) != (there > NEAR):
                part = (NEAR - here) / (there - here)
                kept.append(corners[index - 1] * (1 - part) + corners[index] * part)
            if there > NEAR:
                kept.append(corners[index])
        if not kept:
            return None
        seen = self.camera.project(np.array(kept))[:, :2]
        size = self.camera.size
        low = np.clip(np.floor(seen.min(0)), 0, size).astype(int)
        high = np.clip(np.ceil(seen.max(0)), 0, size).astype(int)
        if (high <= low).any():
            return None
        return slice(low[1], high[1]), slice(low[0], high[0])

    def dress(self, material: Texture) -> Texture:
        """Roughens a surface, if this picture is drawn with pieces of photos."""
        return self.dressing.dress(material) if self.dressing else material

    def draw_rectangle(
        self,
        corner: ArrayLike,
        along: ArrayLike,
        up: ArrayLike,
        material: Texture,
        tint: Any = 1.0,
        contact: float = 0.0,
    ) -> None:
        """Draws a rectangle in space.

        Args:
          corner: float [3], where u = v = 0.
          along: float [3], the edge of u, in metres.
          up: float [3], the edge of v, in metres.
          material: Its surface.
          tint: Factor of the colour, [] or [3].
          contact: Darkening where v = 0 (ambient occlusion), 0 to 1.
        """
        corner, along, up = (np.asarray(v, float) for v in (corner, along, up))
        outline = corner + np.array([0 * up, along, along + up, up])
        window = self._find_window(outline)
        if window is None:
            return
        wide, high = np.linalg.norm(along), np.linalg.norm(up)
        axes = np.stack([along / wide, up / high])
        normal = np.cross(axes[0], axes[1])
        rays = self.camera.rays[window]
        basis = np.stack([normal, *axes], 1).astype(np.float32)
        seen = rays @ basis  # normal, u and v parts of every ray
        offset = corner - self.camera.eye
        facing = np.where(np.abs(seen[..., 0]) < 1e-6, 1e-6, seen[..., 0])
        depth = np.float32(normal @ offset) / facing
        u = depth * seen[..., 1] - np.float32(axes[0] @ offset)
        v = depth * seen[..., 2] - np.float32(axes[1] @ offset)
        inside = (depth > NEAR) & (depth < self.depth[window])
        inside &= (u >= 0) & (u <= wide) & (v >= 0) & (v <= high)
        if not inside.any():
            return
        depth, u, v = depth[inside], u[inside], v[inside]
        slant = np.abs(facing[inside]) / np.linalg.norm(rays[inside], axis=-1)
        footprint = depth / min(self.camera.focal) / np.sqrt(np.maximum(slant, 0.05))
        colour = self.dress(material).sample(u, v, footprint) * tint
        if contact:
            colour *= (1 - contact * np.exp(-v / 0.5))[:, None]
        self.colour[window][inside] = colour
        self.depth[window][inside] = depth

    def stand_cutout(
        self,
        sprite: Sprite,
        x: float,
        z: float,
        ground: float = 0.0,
        tint: Any = 1.0,
    ) -> None:
        """Draws a cut-out that stands on the ground and faces the camera.

        Args:
          sprite: The cut-out.
          x: Metres to the right, of its middle.
          z: Metres ahead.
          ground: Height of the ground there.
          tint: Factor of the colour, [] or [3].
        """
        column, _, middle = self.camera.project(np.array([x, ground, z]))
        depth = middle - sprite.reach
        if depth < 0.8:
            return
        near = depth / middle
        row = self.camera.project(np.array([x * near, ground, z * near]))[1]
        metre = self.camera.focal[1] / middle
        height = sprite.height * metre
        stretch = self.camera.focal[0] / self.camera.focal[1]
        width = height * sprite.rgba.shape[1] / sprite.rgba.shape[0] * stretch
        self.paste(
            sprite, (column - width / 2, row - height), (width, height), depth, tint
        )

    def paste(
        self,
        sprite: Sprite,
        corner: tuple[float, float],
        shape: tuple[float, float],
        depth: float,
        tint: Any = 1.0,
        over: bool = False,
    ) -> np.ndarray | None:
        """Pastes a cut-out into the picture.

        Args:
          sprite: The cut-out.
          corner: Column and row of its upper left corner, in pixels.
          shape: Width and height in pixels.
          depth: Metres of its foot.
          tint: Factor of the colour.
          over: Whether it covers what is nearer than itself too.

        Returns:
          Its alpha, float32 [size, size], or None if it is nowhere to be seen.
        """
        size = self.camera.size
        left, top = round(corner[0]), round(corner[1])
        width, height = max(1, round(shape[0])), max(1, round(shape[1]))
        x0, y0 = max(left, 0), max(top, 0)
        x1, y1 = min(left + width, size), min(top + height, size)
        if x1 <= x0 or y1 <= y0:
            return None
        scale = (sprite.rgba.shape[1] / width, sprite.rgba.shape[0] / height)
        box = ((x0 - left) * scale[0], (y0 - top) * scale[1],
               (x1 - left) * scale[0], (y1 - top) * scale[1])  # fmt: skip
        pixels = Image.fromarray(sprite.rgba).resize(
            (x1 - x0, y1 - y0), Image.Resampling.BILINEAR, box=box
        )
        relief = Image.fromarray(sprite.relief).resize(
            (x1 - x0, y1 - y0), Image.Resampling.NEAREST, box=box
        )
        pixels = np.asarray(pixels, np.float32)
        window = np.s_[y0:y1, x0:x1]
        there = np.maximum(depth + np.asarray(relief), NEAR)
        alpha = pixels[..., 3] / 255
        if not over:
            alpha = alpha * (there < self.depth[window])
        part = alpha[..., None]
        ink = pixels[..., :3] * tint
        if self.dressing and not over:
            ink = self.dressing.roughen(ink)
        ink = np.clip(ink, 0, 255)
        self.colour[window] = self.colour[window] * (1 - part) + ink * part
        self.depth[window] = np.where(alpha > 0.5, there, self.depth[window])
        whole = np.zeros((size, size), np.float32)
        whole[window] = alpha
        return whole

    def shade_foot(
        self, x: float, z: float, radius: tuple[float, float], dark: float
    ) -> None:
        """Darkens the ground around a foot, as a contact shadow.

        Args:
          x: Metres to the right.
          z: Metres ahead.
          radius: Metres across and ahead.
          dark: Darkening in the middle, 0 to 1.
        """
        around = np.array([(-1.6, -1.6), (1.6, -1.6), (1.6, 1.6), (-1.6, 1.6)])
        corners = np.zeros((4, 3))
        corners[:, [0, 2]] = np.array([x, z]) + around * radius
        corners[:, 2] = np.maximum(corners[:, 2], 0.3)
        window = self._find_window(corners)
        if window is None:
            return
        rays = self.camera.rays[window]
        down = np.minimum(rays[..., 1], -1e-4)
        depth = -self._eye[1] / down
        squared = ((depth * rays[..., 0] - x) / radius[0]) ** 2
        squared += ((depth * rays[..., 2] - z) / radius[1]) ** 2
        on_ground = np.abs(self.depth[window] - depth) < 0.05 * depth
        factor = 1 - dark * np.exp(-1.2 * squared) * on_ground
        self.colour[window] *= factor[..., None]
