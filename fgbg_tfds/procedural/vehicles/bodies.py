"""Bodies of vehicles, lofted along their length from a height profile."""

from __future__ import annotations

import numpy as np

# Height profiles: (part of the length from the front, part of the height).
TOPS = {
    "saloon": [
        (0, 0.40), (0.015, 0.47), (0.06, 0.52), (0.27, 0.63), (0.43, 0.965),
        (0.52, 1.0), (0.63, 0.99), (0.72, 0.94), (0.88, 0.69), (0.97, 0.66), (1, 0.5),
    ],
    "hatchback": [
        (0, 0.40), (0.02, 0.48), (0.07, 0.53), (0.26, 0.63), (0.43, 0.965),
        (0.55, 1.0), (0.75, 0.98), (0.86, 0.93), (0.965, 0.64), (0.985, 0.6), (1, 0.45),
    ],
    "estate": [
        (0, 0.42), (0.015, 0.50), (0.06, 0.55), (0.24, 0.64), (0.38, 0.96),
        (0.5, 1.0), (0.8, 0.99), (0.92, 0.95), (0.98, 0.66), (0.99, 0.6), (1, 0.45),
    ],
    "offroad": [
        (0, 0.42), (0.012, 0.53), (0.05, 0.58), (0.25, 0.63), (0.35, 0.96),
        (0.45, 1.0), (0.85, 1.0), (0.95, 0.96), (0.985, 0.64), (0.99, 0.55), (1, 0.4),
    ],
    "coupe": [
        (0, 0.36), (0.02, 0.44), (0.08, 0.50), (0.34, 0.64), (0.50, 0.97),
        (0.57, 1.0), (0.65, 0.98), (0.88, 0.74), (0.97, 0.70), (0.985, 0.68), (1, 0.5),
    ],
    "pickup": [
        (0, 0.42), (0.012, 0.54), (0.05, 0.58), (0.24, 0.62), (0.34, 0.97),
        (0.42, 1.0), (0.52, 1.0), (0.57, 0.97), (0.60, 0.60), (0.99, 0.60), (1, 0.42),
    ],
    "van": [
        (0, 0.28), (0.012, 0.37), (0.05, 0.42), (0.14, 0.50), (0.27, 0.93),
        (0.35, 0.99), (0.6, 1.0), (0.9, 1.0), (0.985, 0.98), (0.995, 0.9), (1, 0.3),
    ],
    "bus": [
        (0, 0.2), (0.004, 0.3), (0.008, 0.40), (0.012, 0.45), (0.03, 0.93),
        (0.05, 0.99), (0.5, 1.0), (0.9, 1.0), (0.99, 0.98), (0.996, 0.9), (1, 0.2),
    ],
    "cab": [
        (0, 0.25), (0.02, 0.38), (0.04, 0.42), (0.10, 0.47), (0.32, 0.94),
        (0.42, 1.0), (0.6, 1.0), (0.85, 1.0), (0.985, 0.98), (0.993, 0.9), (1, 0.3),
    ],
}  # fmt: skip


class Body:
    """A lofted body: its surface as a function of the place along its length."""

    def __init__(self, top, length, width, height, clearance, front):
        self.length, self.width, self.height = length, width, height
        self.front = front  # x of the nose
        at, up = np.array(top).T
        fine = np.linspace(0, 1, 401)
        smooth = np.interp(fine, at, up)
        kernel = np.hanning(15)
        padded = np.pad(smooth, 7, mode="edge")
        smooth = np.convolve(padded, kernel / kernel.sum(), mode="valid")
        self._at, self._top = fine, smooth * height
        shoulder = up[2:4].mean() if len(up) > 3 else 0.6
        belt = [(0, up[1]), (0.06, up[2]), (0.3, max(shoulder + 0.02, up[3] - 0.03))]
        belt += [(0.9, max(up[3], 0.3) + 0.01), (1, max(up[-1], 0.3))]
        self._belt = np.array(belt).T
        self.clearance = clearance

    def top(self, part):
        """Computes the height of the outline at a fraction of the length."""
        return np.interp(part, self._at, self._top)

    def belt(self, part):
        """Computes the height of the windows' lower edge."""
        level = np.interp(part, *self._belt) * self.height
        return np.minimum(level, self.top(part))

    def bottom(self, part):
        """Computes the height of the sill."""
        ends = np.clip(np.abs(2 * part - 1) - 0.86, 0, 1) / 0.14
        return self.clearance + 0.10 * ends**2

    def half(self, part):
        """Computes half the width."""
        ends = np.abs(2 * np.asarray(part) - 1)
        round_off = 0.05 * ends**4 + 0.10 * np.clip((ends - 0.93) / 0.07, 0, 1) ** 2
        return self.width / 2 * (1 - round_off)

    def x(self, part):
        """Computes metres ahead of the vehicle's middle."""
        return self.front - np.asarray(part) * self.length

    def side(self, part, z):
        """Computes y of the left surface at height z."""
        belt, low = self.belt(part), self.bottom(part)
        level = np.clip((z - low) / np.maximum(belt - low, 0.05), 0, 1)
        bulge = 0.94 + 0.06 * np.sin(np.pi * np.clip(level * 0.9 + 0.08, 0, 1))
        lean = np.clip((z - belt) / np.maximum(self.height - belt, 0.1), 0, 1)
        tumble = 0.25 if self.height < 1.95 else 0.08
        return self.half(part) * bulge * (1 - tumble * lean)

    def point(self, part, z, sign=1.0):
        """Computes points [..., 3] on the left (1) or right (-1) side at height z."""
        part, z = np.broadcast_arrays(np.float64(part), np.float64(z))
        return np.stack([self.x(part), sign * self.side(part, z), z], -1)

    def over(self, part, across):
        """Computes points on bonnet, glass and roof; across in -1 .. 1."""
        part, across = np.broadcast_arrays(np.float64(part), np.float64(across))
        top = self.top(part)
        edge = self.side(part, top)
        crown = 0.03 * (1 - across**2)
        return np.stack([self.x(part), across * edge, top + crown], -1)

    def grid(self, fine: bool) -> np.ndarray:
        """Computes the surface, [stations, around, 3], from right sill to left."""
        stations, low, high, over = (52, 9, 7, 9) if fine else (26, 6, 4, 5)
        ends = np.array([0, 0.003, 0.008, 0.016, 0.028])
        part = np.concatenate(
            [ends, np.linspace(0.045, 0.955, stations), 1 - ends[::-1]]
        )
        bottom, belt, top = self.bottom(part), self.belt(part), self.top(part)
        rows = [bottom + (belt - bottom) * t for t in np.linspace(0, 1, low)]
        rows += [belt + (top - belt) * t for t in np.linspace(0, 1, high)[1:]]
        left = [self.point(part, z) for z in rows]
        roof = [self.over(part, a) for a in np.linspace(1, -1, over)[1:-1]]
        right = [self.point(part, z, -1.0) for z in rows[::-1]]
        around = np.stack(left + roof + right, 1)
        low = around[:1].copy()  # the flat ends of nose and tail
        low[..., 1] = 0
        low[..., 2] = np.minimum(around[:1, :, 2], 0.3 * self.height)
        tail = around[-1:].copy()
        tail[..., 1] = 0
        tail[..., 2] = np.minimum(around[-1:, :, 2], 0.3 * self.height)
        return np.concatenate([low, around, tail])
