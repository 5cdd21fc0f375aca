"""The interface of every network to the rest of the trainer."""

from __future__ import annotations

import dataclasses
import math

import keras
from keras import ops

from trainer.contract import MAX_DEPTH
from trainer.models.grid import Grid, enlarge


@dataclasses.dataclass(frozen=True)
class Network:
    """A Keras model, and the meaning of its maps.

    Attributes:
      model: Takes {'bg', 'fgbg'}, float32 [N, H, W, 3] in 0 to 255, and gives for
        each head float32 [N, h, w, 2]: logit of the mask, depth in the head's code.
      grid: Places of the maps' cells on the picture; None where the cells of every
        map divide the picture evenly.
      heads: Names of the outputs; the last one is the prediction.
      depth_code: Code of the depth channel: 'log', the logarithm of metres, or
        'share', a logit of the depth as a fraction of `MAX_DEPTH`.
      multiple: The network takes pictures of all sizes that are multiples of it; 0
        where it is made for one size.
      spread: Whether it also takes 'spread', float32 [N, H, W, 1], grey levels that
        the empty scene varies by, 0 where it is calm or that is not known.
    """

    model: keras.Model
    grid: Grid | None
    heads: tuple[str, ...]
    depth_code: str = "log"
    multiple: int = 0
    spread: bool = False

    def logits(self, maps, size: tuple[int, int] | None):
        """Enlarges one head's maps to a picture's size.

        Args:
          maps: float32 [N, h, w, 2], one output of `model`.
          size: Height and width of the result; the maps' own if None.

        Returns:
          Two float32 [N, H, W, 1]: mask logits, and depth in the network's code.
        """
        # Split before enlarging, since the gradient of a split is a copy.
        return tuple(
            self._enlarge(channel, size) for channel in ops.split(maps, 2, axis=-1)
        )

    def _enlarge(self, maps, size: tuple[int, int] | None):
        if size is None:
            return maps
        if self.grid is not None:
            return enlarge(maps, self.grid, size)
        if tuple(maps.shape[1:3]) == tuple(size):
            return maps
        return ops.image.resize(maps, size, "bilinear")

    def feed_size(self, size):
        """Rounds a size to the nearest one that the network takes.

        Args:
          size: Height and width of pictures: a tuple, or int32 tensor [2].

        Returns:
          The same type; each side is a multiple of `multiple`, and at least that. Not
          for networks that are made for one size.
        """
        step = self.multiple
        if isinstance(size, (tuple, list)):
            return tuple(max(1, (side + step // 2) // step) * step for side in size)
        return ops.maximum((size + step // 2) // step, 1) * step

    def metres(self, code):
        """Converts depth in the network's code to metres, 0 to `MAX_DEPTH`."""
        if self.depth_code == "share":
            return MAX_DEPTH * ops.sigmoid(code)
        return ops.exp(ops.clip(code, -10.0, math.log(MAX_DEPTH)))

    def fold(self) -> None:
        """Computes once what does not depend on pictures, for a network that is served.

        Its weights mean something else from then on; it cannot be trained or saved.
        """
        for layer in self.model.layers:
            if hasattr(layer, "fold"):
                layer.fold()

    def run(self, bg, fgbg, spread=None, training: bool = False):
        """Runs the model on a batch of pairs.

        Args:
          bg: float32 [N, H, W, 3], 0 to 255, of the size of the model's input.
          fgbg: The same for the composite.
          spread: See `Network`; None where it is not known. Networks that do not take
            it do without.
          training: Whether units are dropped.

        Returns:
          The maps of each head.
        """
        inputs = {"bg": bg, "fgbg": fgbg}
        if self.spread:
            inputs["spread"] = ops.zeros_like(bg[..., :1]) if spread is None else spread
        inputs = {name: ops.convert_to_tensor(each) for name, each in inputs.items()}
        return self.model(inputs, training=training)

    def predict(self, bg, fgbg, size: tuple[int, int] | None, spread=None):
        """Predicts mask and depth of a batch of pairs, by the last head.

        Args:
          bg: float32 [N, H, W, 3], 0 to 255, of the size of the model's input.
          fgbg: The same for the composite.
          size: Height and width of the result; that of the last map if None.
          spread: See `run`.

        Returns:
          Two float32 [N, *size, 1]: the mask in 0 to 1, the depth in metres.
        """
        outputs = self.run(bg, fgbg, spread)
        mask, depth = self.logits(outputs[self.heads[-1]], size)
        return ops.sigmoid(mask), self.metres(depth)
