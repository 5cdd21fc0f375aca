"""Labelled and encoded examples, made in batches that a later build can take over."""

from __future__ import annotations

import collections
import dataclasses
import functools
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

import numpy as np
import tensorflow_datasets as tfds
from absl import logging

from fgbg_tfds import depth
from fgbg_tfds.compose import (
    MAX_ENLARGEMENT,
    Composite,
    Pasted,
    Placement,
    compose,
    compute_composite_depth,
    encoding,
    find_box,
    place_and_paste,
)
from fgbg_tfds.contract import MASK_THRESHOLD
from fgbg_tfds.errors import InputError
from fgbg_tfds.settings import NO_TEACHER, Settings
from fgbg_tfds.writing.fingerprint import compute_fingerprint
from fgbg_tfds.writing.recipe import make_recipe, open_sources

BATCHES_AHEAD = 2
UNLABELLED_BATCH = 32
BYTES_PER_PIXEL = 1.3  # of an example with its four pictures; photos take 0.8 to 1.2

T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Encoded:
    """The encoded parts of an example that are its own; backgrounds are shared.

    Attributes:
      fgbg: JPEG.
      mask: PNG.
      depth: 16-bit PNG, 1/256 metre.
      bbox: (ymin, xmin, ymax, xmax) as fractions of the sides.
    """

    fgbg: bytes
    mask: bytes
    depth: bytes
    bbox: tuple[float, float, float, float]


class BatchStore(Protocol):
    """A store of finished batches, from which a later build goes on."""

    def read_batch(self, shard: str, index: int) -> list[Encoded] | None:
        """Reads a batch that was kept, None where it was not."""

    def keep_batch(self, shard: str, index: int, examples: Sequence[Encoded]) -> None:
        """Keeps a batch."""


class Studio:
    """The pictures, teacher and recipe of a data set, loaded once in a process.

    Args:
      settings: The data set's settings.
      teacher: Labels pictures; None loads the one that the settings name.

    Attributes:
      recipe: The data set's `Recipe`.
      foregrounds: Its cut-outs, in the recipe's order.
      backgrounds: Its scenes, in the recipe's order.
    """

    def __init__(self, settings: Settings, teacher: depth.Teacher | None = None):
        self._settings = settings
        self._given_teacher = teacher
        sources = open_sources(settings)
        self.foregrounds = sources.read_foregrounds()
        self.backgrounds = sources.read_backgrounds()
        self.recipe = make_recipe(settings, sources, self.foregrounds, self.backgrounds)
        self._background_bytes = functools.cache(
            lambda index, photo: encoding.encode_photo(
                self.backgrounds[index].photos[photo]
            )
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
        """The data set's fingerprint; see `compute_fingerprint`."""
        return compute_fingerprint(self._settings, self.foregrounds, self.backgrounds)

    @property
    def _is_costly(self) -> bool:
        """Whether a later build would save time by taking over a batch."""
        return bool(self.teacher) and self._settings.labelling == "composite"

    def compose(self, composite: Composite) -> Pasted:
        """Composes one composite of the recipe."""
        return compose(composite, self.recipe, self.foregrounds, self.backgrounds)

    def make_examples(
        self, shards: Iterable[tuple[str, Sequence[Composite]]], kept: BatchStore
    ) -> Iterator[tuple[str, str, dict[str, object]]]:
        """Labels and encodes composites in the order given.

        Composing and encoding run in threads, the teacher in one of its own, and the
        next batches are started while the caller writes the last ones, so that the
        teacher does not wait. Batches are cut by position in the shard, so that those
        of an earlier build fit.

        Args:
          shards: Each shard's name, under which its batches are kept, and its
            composites.
          kept: The store of finished batches.

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
                for batch in _work_ahead(started, BATCHES_AHEAD)
            )
            for future in _work_ahead(labelled, BATCHES_AHEAD):
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
        """Starts to compose a batch, unless it was kept."""
        finished = kept.read_batch(shard, index)
        if finished and len(finished) != len(composites):
            finished = None  # cut for another machine's batch size
        pasted = [] if finished else [pool.submit(self.compose, c) for c in composites]
        return _Batch(shard, index, composites, finished, pasted)

    def _label(self, batch: _Batch, pool: ThreadPoolExecutor) -> _Batch:
        """Labels a batch and starts to encode it, unless it was kept."""
        if batch.finished:
            return batch
        pasted = [future.result() for future in batch.pasted]
        jobs: list[tuple[Callable, Pasted, Any]]
        if not self.teacher:
            jobs = [(_encode, one, None) for one in pasted]
        elif self._settings.labelling == "geometric":
            depths = self._background_depths
            grounds = [
                depths[composite.background][self._choose_photos(composite)[0]]
                for composite in batch.composites
            ]
            jobs = [
                (_encode_geometric, *pair) for pair in zip(pasted, grounds, strict=True)
            ]
        else:
            depths = self.teacher(np.stack([one.fgbg for one in pasted]))
            jobs = [(_encode, *pair) for pair in zip(pasted, depths, strict=True)]
        return dataclasses.replace(batch, encoded=[pool.submit(*job) for job in jobs])

    @functools.cached_property
    def _background_depths(self) -> list[list[np.ndarray]]:
        """The depth of every scene's photos, float32 [H, W], metres."""
        assert self.teacher, "geometric labelling needs a teacher"
        size = self.teacher.batch_size
        images = np.stack([photo for one in self.backgrounds for photo in one.photos])
        starts = range(0, len(images), size)
        depths = iter(
            np.concatenate(
                [self.teacher(images[start : start + size]) for start in starts]
            )
        )
        return [[next(depths) for _ in one.photos] for one in self.backgrounds]

    def _choose_photos(self, composite: Composite) -> tuple[int, int]:
        photos = self.backgrounds[composite.background].photos
        return self.recipe.choose_photos(composite, len(photos))

    def _example(
        self, composite: Composite, encoded: Encoded
    ) -> tuple[str, dict[str, object]]:
        return self.recipe.make_key(composite), {
            "bg": self._background_bytes(
                composite.background, self._choose_photos(composite)[1]
            ),
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
    """A batch that is being composed, then labelled and encoded, or was kept."""

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
        bbox=find_box(pasted.mask),
    )


def _encode_geometric(pasted: Pasted, background_depth: np.ndarray) -> Encoded:
    return _encode(pasted, compute_composite_depth(background_depth, pasted.mask))


def estimate_example_bytes(image_size: int) -> int:
    """Estimates the bytes of an example with its four pictures, generously."""
    return round(image_size**2 * BYTES_PER_PIXEL)


def refuse_vanishing(studio: Studio) -> None:
    """Refuses cut-outs that are so thin that small ones have an empty mask.

    Raises:
      InputError: If there are some; the message names them.
    """
    smallest = Placement(studio.recipe.scale[0], 0, 0)
    photo = studio.backgrounds[0].pixels
    names = [
        one.name
        for one in studio.foregrounds
        if place_and_paste(photo, one.pixels, smallest, False).mask.max()
        < MASK_THRESHOLD
    ]
    if names:
        raise InputError(
            f"foregrounds: {', '.join(names)}: so thin that at the smallest scale, "
            f"{smallest.scale:g}, nothing of the mask is left; give wider ones, or a "
            "larger scale"
        )


def warn_of_enlargement(studio: Studio) -> None:
    """Warns of cut-outs that are much smaller than they are pasted, in one line."""
    recipe = studio.recipe
    largest = recipe.scale[1] * studio.backgrounds[0].pixels.shape[0]
    factors = {
        one.name: largest / max(one.pixels.shape[:2]) for one in studio.foregrounds
    }
    coarse = sorted(
        (name for name in factors if factors[name] > MAX_ENLARGEMENT),
        key=lambda name: -factors[name],
    )
    if coarse:
        logging.warning(
            "foregrounds: %d of %d are enlarged more than %d times, and will look "
            "coarse; %s up to %.1f times; give larger ones, or a smaller scale",
            len(coarse),
            len(factors),
            MAX_ENLARGEMENT,
            coarse[0],
            factors[coarse[0]],
        )


@functools.cache
def _unknown_depth(shape: tuple[int, int]) -> bytes:
    return encoding.encode_depth(np.zeros(shape, np.float32))


def _work_ahead(items: Iterable[T], count: int) -> Iterator[T]:
    """Yields items, each after `count` more were started."""
    waiting: collections.deque[T] = collections.deque()
    for item in items:
        waiting.append(item)
        if len(waiting) > count:
            yield waiting.popleft()
    yield from waiting
