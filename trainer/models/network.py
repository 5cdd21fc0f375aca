"""What every network of this project is to the rest of the trainer."""

from __future__ import annotations

import dataclasses

import keras
from keras import ops

from trainer.models.grid import Grid, enlarge


@dataclasses.dataclass(frozen=True)
class Network:
    """A Keras model, and how its maps are read.

    Attributes:
      model: Takes {'bg', 'fgbg'}, float32 [N, H, W, 3] in 0 to 255, and gives for
        each head float32 [N, h, w, 2]: logit of the mask, depth in the head's code.
      grid: Where the cells of the maps lie on the picture; None where the cells of
        every map divide the picture evenly.
      heads: Names of the outputs; the last one is the prediction.
      depth_code: What the depth channel means: 'log', the logarithm of metres, or
        'share', a logit of the depth as a part of `MOST_DEPTH`.
      multiple: Pictures of every size are taken whose sides are multiples of it; 0
        where the network is made for one size.
      batch_statistics: Whether it normalises with statistics of a whole batch, so that
        the gradient of a batch is not the sum of those of its parts.
    """

    model: keras.Model
    grid: Grid | None
    heads: tuple[str, ...]
    depth_code: str = "log"
    multiple: int = 0
    batch_statistics: bool = False

    def logits(self, maps, size: tuple[int, int] | None):
        """Enlarges one head's maps to a picture's size.

        Args:
          maps: float32 [N, h, w, 2], one output of `model`.
          size: Height and width wanted; the maps' own if None.

        Returns:
          Two float32 [N, H, W, 1]: mask logits, and depth in the network's code.
        """
        # Cut before they are enlarged: the gradient of a cut is a copy.
        return tuple(self._enlarge(part, size) for part in ops.split(maps, 2, axis=-1))

    def _enlarge(self, maps, size: tuple[int, int] | None):
        if self.grid is not None:
            return enlarge(maps, self.grid, size)
        if size is None or tuple(maps.shape[1:3]) == tuple(size):
            return maps
        return ops.image.resize(maps, size, "bilinear")

    def metres(self, code):
        """Turns depth in the network's code into metres, 0 to `MOST_DEPTH`."""
        if self.depth_code == "share":
            return MOST_DEPTH * ops.sigmoid(code)
        return ops.exp(ops.clip(code, -10.0, LOG_MOST_DEPTH))

    def predict(self, bg, fgbg, size: tuple[int, int] | None):
        """Mask and depth of a batch of pairs, from the last head.

        Args:
          bg: float32 [N, H, W, 3], 0 to 255, of the size of the model's input.
          fgbg: The same for the composite.
          size: Height and width of the result; that of the last map if None.

        Returns:
          Two float32 [N, *size, 1]: the mask in 0 to 1, the depth in metres.
        """
        outputs = self.model({"bg": bg, "fgbg": fgbg}, training=False)
        mask, depth = self.logits(outputs[self.heads[-1]], size)
        return ops.sigmoid(mask), self.metres(depth)


MOST_DEPTH = 80.0  # metres; the data contract's limit
LOG_MOST_DEPTH = 4.382026634673881
