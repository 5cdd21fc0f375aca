"""The grid of a map's cells on the picture, and resizing between the two."""

from __future__ import annotations

import dataclasses

import numpy as np
from keras import ops


@dataclasses.dataclass(frozen=True)
class Grid:
    """The places of a map's cells on the network's input.

    Cell (i, j) has its centre on pixel (top + i * stride, left + j * stride), where
    the centre of the first pixel is 0.

    Attributes:
      picture: Height and width of the input, pixels.
      cells: Height and width of the map.
      top: Centre of the first row of cells, pixels.
      left: Centre of the first column of cells, pixels.
      stride: Distance of neighbouring cells, pixels.
    """

    picture: tuple[int, int]
    cells: tuple[int, int]
    top: float
    left: float
    stride: float

    def rows(self, height: int) -> np.ndarray:
        """Computes the weights of the rows of cells for the rows of a picture.

        Args:
          height: Number of rows; the picture is stretched to that height.

        Returns:
          float32 [height, cells[0]]; every row sums to 1.
        """
        return _weigh_cells(
            height, self.picture[0], self.cells[0], self.top, self.stride
        )

    def columns(self, width: int) -> np.ndarray:
        """Computes the weights of columns, float32 [width, cells[1]]; see `rows`."""
        return _weigh_cells(
            width, self.picture[1], self.cells[1], self.left, self.stride
        )

    def covered(self, height: int) -> np.ndarray:
        """Finds the rows of a picture that the map covers.

        The map of a network that sees only the bottom of the picture does not cover
        the top. Margins of less than two cells, which convolutions without padding
        cut off, count as covered.

        Args:
          height: Number of rows of the picture.

        Returns:
          float32 [height, 1, 1], 1 where the map covers the row, else 0.
        """
        pixels = _locate_centres(height, self.picture[0])
        return (pixels > self.top - 2 * self.stride).astype(np.float32)[:, None, None]


def enlarge(maps, grid: Grid, size: tuple[int, int]):
    """Enlarges maps bilinearly; the margin outside the outermost cells repeats them.

    It multiplies by two constant matrices: exact in the places of the cells, the same
    under every backend, and on a CPU faster to differentiate than an image resize.

    Args:
      maps: float32 [N, h, w, C], of the size `grid.cells`.
      grid: Places of the cells.
      size: Height and width of the result.

    Returns:
      float32 [N, *size, C].
    """
    rows = ops.convert_to_tensor(grid.rows(size[0]))
    columns = ops.convert_to_tensor(grid.columns(size[1]))
    return ops.einsum("yh,nhxc->nyxc", rows, ops.einsum("xw,nhwc->nhxc", columns, maps))


def reduce_map(values: np.ndarray, grid: Grid) -> np.ndarray:
    """Averages a map of the picture's size over the cells of a grid.

    The weights are those with which `enlarge` spreads a cell.

    Args:
      values: float [H, W].
      grid: Places of the cells.

    Returns:
      float32 of the shape `grid.cells`.
    """
    rows = grid.rows(values.shape[0])
    columns = grid.columns(values.shape[1])
    sums = rows.T @ values @ columns
    return (sums / np.outer(rows.sum(0), columns.sum(0))).astype(np.float32)


def _locate_centres(size: int, fed: int) -> np.ndarray:
    return (np.arange(size) + 0.5) * fed / size - 0.5


def _weigh_cells(size: int, fed: int, cells: int, first: float, stride: float):
    place = np.clip((_locate_centres(size, fed) - first) / stride, 0, cells - 1)
    distance = np.abs(place[:, None] - np.arange(cells)[None, :])
    return np.maximum(0, 1 - distance).astype(np.float32)
