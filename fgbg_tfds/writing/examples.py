"""Composites to labelled, encoded examples, in batches that can be kept."""

from __future__ import annotations

import collections
import dataclasses
import functools
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol, TypeVar

import numpy as np
import tensorflow_datasets as tfds

from fgbg_tfds import depth
from fgbg_tfds.compose import encoding
from fgbg_tfds.compose import ground_depth as geometry
from fgbg_tfds.compose import paste as compositing
from fgbg_tfds.compose.paste import Pasted
from fgbg_tfds.compose.recipe import Composite
from fgbg_tfds.settings import NO_TEACHER, Settings
from fgbg_tfds.writing import metadata

BATCHES_AHEAD = 2
UNLABELLED_BATCH = 32

T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Encoded:
    """What is made for a composite; the background's bytes are shared by many.

    Attributes:
      fgbg: JPEG.
      mask: PNG.
      depth: 16-bit PNG, 1/256 metre.
      bbox: (ymin, xmin, ymax, xmax) as parts of the sides.
    """

    fgbg: bytes
    mask: bytes
    depth: bytes
    bbox: tuple[float, float, float, float]


class BatchStore(Protocol):
    """Where finished batches of a shard are kept for a later build."""

    def batch(self, shard: str, index: int) -> list[Encoded] | None:
        """Returns a batch that was kept, None where it was not."""

    def keep_batch(self, shard: str, index: int, examples: Sequence[Encoded]) -> None:
        """Keeps a batch."""


class Studio:
    """Pictures, teacher and recipe of a data set, loaded once a process.

    Args:
      settings: What data set.
      teacher: Labels pictures; None loads the one that the settings name.

    Attributes:
      recipe: The data set's `Recipe`.
      foregrounds: Its cut-outs, in the recipe's order.
      backgrounds: Its photos, in the recipe's order.
    """

    def __init__(self, settings: Settings, teacher: depth.Teacher | None = None):
        self._settings = settings
        self._given_teacher = teacher
        self.recipe = settings.recipe
        self.foregrounds = settings.read_foregrounds()
        self.backgrounds = settings.read_backgrounds()
        self._background_bytes = functools.cache(
            lambda index: encoding.encode_photo(self.backgrounds[index].pixels)
        )

    @functools.cached_property
    def teacher(self) -> depth.Teacher | None:
        """The teacher, loaded at first use; None where the settings say 'none'."""
        if self._given_teacher or self._settings.teacher == NO_TEACHER:
            return self._given_teacher
        return depth.load_teacher(
            self._settings.teacher, self._settings.weights, self._settings.precision
        )

    @functools.cached_property
    def fingerprint(self) -> str:
        """The data set's; see `Settings.fingerprint`."""
        return self._settings.fingerprint(self.foregrounds, self.backgrounds)

    def describe(self) -> dict[str, object]:
        """Returns the data set's metadata as JSON values."""
        card = self.teacher.card if self.teacher else None
        return metadata.build_metadata(self._settings, card, self.fingerprint)

    @property
    def _is_costly(self) -> bool:
        """Whether a batch is worth keeping for a build that goes on later."""
        return bool(self.teacher) and self._settings.labelling == "composite"

    def estimate_bytes(self, most_examples: int | None = None) -> int:
        """Returns about how much disk a build takes, on the generous side.

        Args:
          most_examples: The most examples a split gets; None for all.
        """
        counts = map(len, self.recipe.splits.values())
        total = sum(min(count, most_examples or count) for count in counts)
        return round(total * self._settings.image_size**2 * encoding.BYTES_PER_PIXEL)

    def compose(self, composite: Composite) -> Pasted:
        """Pastes one composite."""
        return compositing.paste(
            self.backgrounds[composite.background].pixels,
            self.foregrounds[composite.foreground].pixels,
            self.recipe.placement(composite),
            composite.flipped,
        )

    def examples(
        self, shards: Iterable[tuple[str, Sequence[Composite]]], kept: BatchStore
    ) -> Iterator[tuple[str, str, dict[str, object]]]:
        """Labels and encodes composites in the order given.

        Composing and encoding run in threads, the teacher in one of its own, and
        what comes next is begun while the caller writes what came before: the
        teacher need not wait. Batches are cut by position in the shard, so that
        those of an earlier build fit.

        Args:
          shards: Each shard's name, under which its batches are kept, and its
            composites.
          kept: Where finished batches are found and kept.

        Yields:
          (shard, key, example), ready for TFDS's features; pictures are encoded
          bytes.
        """
        size = self.teacher.batch_size if self.teacher else UNLABELLED_BATCH
        with (
            ThreadPoolExecutor(max_workers=os.cpu_count()) as pool,
            ThreadPoolExecutor(max_workers=1) as teaching,
        ):
            started = (
                self._start(shard, index, composites[first : first + size], kept, pool)
                for shard, composites in shards
                for index, first in enumerate(range(0, len(composites), size))
            )
            labelled = (
                teaching.submit(self._label, batch, pool)
                for batch in _ahead(started, BATCHES_AHEAD)
            )
            for future in _ahead(labelled, BATCHES_AHEAD):
                batch = future.result()
                encoded = batch.finished or [one.result() for one in batch.encoded]
                if self._is_costly and not batch.finished:
                    kept.keep_batch(batch.shard, batch.index, encoded)
                for composite, one in zip(batch.composites, encoded, strict=True):
                    yield batch.shard, *self._example(composite, one)

    def _start(
        self,
        shard: str,
        index: int,
        composites: Sequence[Composite],
        kept: BatchStore,
        pool: ThreadPoolExecutor,
    ) -> _Batch:
        """Begins to compose a batch, unless it was kept."""
        finished = kept.batch(shard, index)
        if finished and len(finished) != len(composites):
            finished = None  # cut for another machine's batch size
        pasted = [] if finished else [pool.submit(self.compose, c) for c in composites]
        return _Batch(shard, index, composites, finished, pasted)

    def _label(self, batch: _Batch, pool: ThreadPoolExecutor) -> _Batch:
        """Labels a batch and begins to encode it, unless it was kept."""
        if batch.finished:
            return batch
        pasted = [future.result() for future in batch.pasted]
        if not self.teacher:
            jobs = [(_encode, one, None) for one in pasted]
        elif self._settings.labelling == "geometric":
            depths = self._background_depths
            grounds = [depths[composite.background] for composite in batch.composites]
            jobs = [
                (_encode_geometric, *pair) for pair in zip(pasted, grounds, strict=True)
            ]
        else:
            looked = self.teacher(np.stack([one.fgbg for one in pasted]))
            jobs = [(_encode, *pair) for pair in zip(pasted, looked, strict=True)]
        return dataclasses.replace(batch, encoded=[pool.submit(*job) for job in jobs])

    @functools.cached_property
    def _background_depths(self) -> np.ndarray:
        """The backgrounds' depth, float32 [N, H, W], metres."""
        size = self.teacher.batch_size
        images = np.stack([picture.pixels for picture in self.backgrounds])
        starts = range(0, len(images), size)
        return np.concatenate(
            [self.teacher(images[start : start + size]) for start in starts]
        )

    def _example(
        self, composite: Composite, encoded: Encoded
    ) -> tuple[str, dict[str, object]]:
        return self.recipe.key(composite), {
            "bg": self._background_bytes(composite.background),
            "fgbg": encoded.fgbg,
            "mask": encoded.mask,
            "depth": encoded.depth,
            "bbox": tfds.features.BBox(*encoded.bbox),
            "foreground": composite.foreground,
            "background": composite.background,
            "placement": composite.placement,
            "flipped": composite.flipped,
        }


@dataclasses.dataclass(frozen=True)
class _Batch:
    """A batch on its way: composing, then labelled and encoding, or kept."""

    shard: str
    index: int
    composites: Sequence[Composite]
    finished: list[Encoded] | None
    pasted: Sequence[Future[Pasted]]
    encoded: Sequence[Future[Encoded]] = ()


def _encode(pasted: Pasted, metres: np.ndarray | None) -> Encoded:
    side = pasted.mask.shape[:2]
    return Encoded(
        fgbg=encoding.encode_photo(pasted.fgbg),
        mask=encoding.encode_mask(pasted.mask),
        depth=_unknown_depth(side) if metres is None else encoding.encode_depth(metres),
        bbox=compositing.bounding_box(pasted.mask),
    )


def _encode_geometric(pasted: Pasted, background_depth: np.ndarray) -> Encoded:
    return _encode(pasted, geometry.composite_depth(background_depth, pasted.mask))


@functools.cache
def _unknown_depth(shape: tuple[int, int]) -> bytes:
    return encoding.encode_depth(np.zeros(shape, np.float32))


def _ahead(items: Iterable[T], count: int) -> Iterator[T]:
    """Yields items, each after `count` more were begun."""
    waiting: collections.deque[T] = collections.deque()
    for item in items:
        waiting.append(item)
        if len(waiting) > count:
            yield waiting.popleft()
    yield from waiting
