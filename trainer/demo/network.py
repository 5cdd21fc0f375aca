"""The one network of the page, loaded while the page is up already."""

from __future__ import annotations

import ctypes
import os
import pathlib
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from trainer.predict import Predictor

WARM_UP = (64, 64, 3)  # pixels of a first pair, for which TensorFlow compiles


class SharedNetwork:
    """A network that many users share: it looks at one pair at a time."""

    def __init__(self):
        """Begins without a network; see `load`."""
        self._predictor: Predictor | None = None
        self._loaded = threading.Event()
        # One thread, whose memory is used again and again; of many, each keeps its own.
        self._looking = ThreadPoolExecutor(1, "network")
        # Else glibc keeps what was freed, a megabyte or two after each look.
        library = ctypes.CDLL(None) if os.name == "posix" else None
        self._trim = getattr(library, "malloc_trim", None)

    @property
    def loaded(self) -> bool:
        """Whether it can look at once."""
        return self._loaded.is_set()

    def load(self, model: pathlib.Path) -> None:
        """Loads the network, after which all that wait for it go on.

        Args:
          model: See `Predictor`.

        Raises:
          UserError: If it cannot be loaded.
        """
        predictor = Predictor(model)
        black = np.zeros(WARM_UP, np.uint8)
        predictor(black, black)
        self._predictor = predictor
        self._loaded.set()

    def wait(self) -> None:
        """Waits until the network is loaded."""
        self._loaded.wait()

    def __call__(
        self,
        background: np.ndarray,
        frame: np.ndarray,
        spread: np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Compares a frame with the empty scene; see `Predictor`."""
        self.wait()
        return self._looking.submit(self._look, background, frame, spread).result()

    def _look(self, *pictures) -> tuple[np.ndarray, np.ndarray]:
        assert self._predictor
        answer = self._predictor(*pictures)
        if self._trim:
            self._trim(0)
        return answer
