"""The interface of every depth network in this package."""

from __future__ import annotations

import abc
import dataclasses
from typing import Any

import numpy as np


@dataclasses.dataclass(frozen=True)
class TeacherCard:
    """The description of a network, for readers of its labels.

    Attributes:
      name: The teacher's name as given to `load_teacher`.
      weights: Name of the weights, without a path.
      weights_sha256: Hex digest over the weight file or files.
      precision: 'float32' or 'bfloat16', the precision in use.
      feed_size: (height, width) that pictures are resized to.
      metric: Whether metres are true metres, rather than right up to a factor.
      rule: The conversion of the network's output to metres, in one sentence.
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

    def as_metadata(self) -> dict[str, Any]:
        """Returns the card as plain JSON values."""
        return dataclasses.asdict(self) | {"feed_size": list(self.feed_size)}


class Teacher(abc.ABC):
    """A depth network with its weights, ready to label pictures.

    Attributes:
      card: The teacher's `TeacherCard`.
      batch_size: The number of pictures in a call with which it is fastest.
    """

    card: TeacherCard
    batch_size: int = 8

    @abc.abstractmethod
    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Estimates depth, for each picture independently of the others.

        Args:
          images: uint8 [N, H, W, 3], RGB, any H and W.

        Returns:
          float32 [N, H, W], metres, growing with distance, finite and above 0.
        """
