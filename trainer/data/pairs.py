"""Batches of pairs that are made anew from those of the data set, addressed by step.

Pairs are made in groups of four that follow each other in the stream and lend each
other their objects, so a group is the same on whatever device it is made.
"""

from __future__ import annotations

import dataclasses

import tensorflow as tf

from trainer.augment import (
    GROUP_SIZE,
    Augmentation,
    Scene,
    as_tuple,
    augment,
    cut_windows,
    make_pairs,
)
from trainer.contract import DEPTH_UNITS, FEATURES, MAX_ALPHA, MAX_DEPTH
from trainer.data.mixture import Mixture
from trainer.data.streams import keep_own, stream_examples

POOL_PAIRS = 256  # pairs, approximately, that are kept to be shown again


def make_batches(
    mixture: Mixture,
    augmentation: Augmentation,
    size: tuple[int, int],
    full_size: tuple[int, int],
    batch_size: int,
    first_step: int,
    context: tf.distribute.InputContext,
) -> tf.data.Dataset:
    """Makes endless batches of pairs, from a step on.

    Made pairs are kept in pools of a few batches. A pool is shown
    `augmentation.repeats` times, each time in another order and in other windows.

    Args:
      mixture: Data sets, split, shares and seed.
      augmentation: Changes of the pairs.
      size: Height and width of the windows that are shown.
      full_size: Height and width at which pairs are made.
      batch_size: Examples in a step, over all devices; each device's part has to be
        a multiple of `GROUP_SIZE`.
      first_step: Step whose batch comes first.
      context: This process, and how many processes and devices share a batch.

    Returns:
      Data set of batches, as `make_training_batches` gives them.
    """
    maker = _PairMaker(augmentation, mixture.seed, size, full_size, batch_size, context)
    repeats = augmentation.repeats
    pool_batches = max(4, POOL_PAIRS // batch_size) if repeats > 1 else 1
    pool, shown = divmod(first_step, pool_batches * repeats)
    first = pool * pool_batches * batch_size
    slots = maker.slots
    examples = stream_examples(mixture, first).enumerate(first)
    groups = _map(
        keep_own(examples, batch_size, context),
        lambda place, example: (place, maker.load(place, mixture.decode(example))),
    )
    groups = _map(groups.batch(GROUP_SIZE, drop_remainder=True), maker.make)
    if repeats > 1:
        pools = groups.batch(pool_batches * slots, drop_remainder=True).prefetch(1)

        def show(number, made):
            order = maker.order(number, pool_batches)
            return tf.data.Dataset.from_tensor_slices(order).map(
                lambda i: {name: value[i] for name, value in made.items()}
            )

        groups = pools.enumerate(pool).flat_map(show).skip(shown * slots)
    windows = _map(groups.enumerate(first_step * slots), maker.cut)
    per_device = context.get_per_replica_batch_size(batch_size)
    return windows.unbatch().batch(per_device, drop_remainder=True)


@dataclasses.dataclass(frozen=True)
class _PairMaker:
    """The steps from an example to a window of a made pair; each is a pure function.

    A slot is a place for a group in this process's part of a batch.
    """

    augmentation: Augmentation
    seed: int
    size: tuple[int, int]
    full_size: tuple[int, int]
    batch_size: int
    context: tf.distribute.InputContext

    @property
    def slots(self) -> int:
        """Number of groups of each batch that are this process's."""
        return self.batch_size // self.context.num_input_pipelines // GROUP_SIZE

    @property
    def first_slot(self) -> int:
        """Number of this process's first slot among those of all processes."""
        return self.context.input_pipeline_id * self.slots

    def load(self, index, example: dict) -> dict:
        """Rotates and colours a decoded pair at its full size."""
        settings = dataclasses.replace(self.augmentation, zoom=1.0, flip=False)
        return augment(example, self.full_size, self._fold(index, 0), settings)

    def make(self, indices, examples: dict) -> dict:
        """Makes a group of pairs: uint8 pictures and masks, depth in 1/256 m."""
        arrays = tuple(examples[name] for name in FEATURES)
        without = tuple(sorted(self.augmentation.without))
        scene = Scene(*_make_pairs(arrays, self._fold(indices[0], 1), without))
        metres = tf.minimum(scene.depth, MAX_DEPTH)
        return {
            "bg": tf.cast(scene.bg, tf.uint8),
            "frame": tf.cast(scene.frame, tf.uint8),
            "mask": tf.cast(tf.round(scene.mask * MAX_ALPHA), tf.uint8),
            "depth": tf.cast(metres * DEPTH_UNITS, tf.uint16),
            "spread": tf.cast(tf.round(scene.spread), tf.uint8),
            "index": indices,
        }

    def order(self, pool, pool_batches: int):
        """Draws the order in which the groups of a pool are shown.

        Every slot of a batch has an order of its own and keeps its groups, so that a
        process needs no other's.

        Returns:
          Places in the pool, int64 [pool_batches * repeats * slots].
        """
        columns = []
        for slot in range(self.slots):
            seed = tf.random.fold_in(self._fold(pool, 2), self.first_slot + slot)
            rows = [
                tf.random.experimental.stateless_shuffle(
                    tf.range(pool_batches, dtype=tf.int64),
                    tf.random.fold_in(seed, number),
                )
                for number in range(self.augmentation.repeats)
            ]
            columns.append(tf.concat(rows, 0) * self.slots + slot)
        return tf.reshape(tf.stack(columns, 1), [-1])

    def cut(self, place, made: dict) -> dict:
        """Cuts a window out of each pair of a group."""
        step, slot = place // self.slots, place % self.slots + self.first_slot
        first = step * self.batch_size + slot * GROUP_SIZE
        names = ("bg", "frame", "mask", "depth", "spread")
        scene = Scene(*(made[name] for name in names))
        scene = cut_windows(
            scene, self.size, self._fold(first, 3),
            self.augmentation.zoom, self.augmentation.flip,
        )  # fmt: skip
        return {
            "bg": scene.bg,
            "fgbg": scene.frame,
            "mask": scene.mask / MAX_ALPHA,
            "depth": tf.minimum(scene.depth / DEPTH_UNITS, MAX_DEPTH),
            "spread": scene.spread,
            "index": made["index"],
        }

    def _fold(self, place, purpose: int):
        """Derives a seed, int32 [2], from the run's, a place and a purpose."""
        seed = tf.stack([tf.cast(self.seed, tf.int64), tf.cast(place, tf.int64)])
        return tf.random.fold_in(tf.cast(seed, tf.int32), purpose)


@tf.function(autograph=False)  # traced once, however many streams there are
def _make_pairs(arrays: tuple, seed, without: tuple[str, ...]) -> tuple:
    return as_tuple(make_pairs(Scene(*arrays), seed, frozenset(without)))


def _map(dataset: tf.data.Dataset, function) -> tf.data.Dataset:
    """Maps in parallel, without AutoGraph, whose translation takes half a minute."""
    plain = tf.autograph.experimental.do_not_convert(function)
    return dataset.map(plain, tf.data.AUTOTUNE, deterministic=True)
