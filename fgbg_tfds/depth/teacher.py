"""What every depth network in this package can do once it is loaded."""

from __future__ import annotations

import abc
import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class TeacherCard:
    """What a label's reader must know of the network that made it.

    Attributes:
      name: The teacher's name as given to `load_teacher`.
      weights: Which weights, as a name, never as a path.
      weights_sha256: Hex digest over the weight file or files.
      precision: 'float32' or 'bfloat16', as really used.
      feed_size: (height, width) that pictures are resized to.
      metric: Whether the metres are metres, or right up to a factor only.
      rule: How the network's output becomes metres, in one sentence.
      licence: The weights' licence, as an SPDX name where there is one.
    """

    name: str
    weights: str
    weights_sha256: str
    precision: str
    feed_size: tuple[int, int]
    metric: bool
    rule: str
    licence: str

    def as_metadata(self) -> dict[str, object]:
        """Returns the card as plain JSON values."""
        return dataclasses.asdict(self) | {"feed_size": list(self.feed_size)}


class Teacher(abc.ABC):
    """A depth network with its weights, ready to label pictures.

    Attributes:
      card: The teacher's `TeacherCard`.
      batch_size: The number of pictures a call that it is fastest with.
    """

    card: TeacherCard
    batch_size: int = 8

    @abc.abstractmethod
    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Estimates depth; a picture's does not depend on the others of the call.

        Args:
          images: uint8 [N, H, W, 3], RGB, any H and W.

        Returns:
          float32 [N, H, W], metres, growing with distance, finite and above 0.
        """
