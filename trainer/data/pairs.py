"""Batches of pairs made by `trainer.augment.life`, addressed by step.

Pairs are made in groups of four that follow each other in the stream and lend each
other their objects, so a group is the same on whatever device it is made.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import tensorflow as tf

from trainer.augment import Augmentation, augment
from trainer.augment.life import GROUP, make
from trainer.augment.pasting import Scene, values
from trainer.augment.window import window
from trainer.data.streams import Part
from trainer.errors import UserError

MOST = 80.0  # metres, as in the data contract
POOL = 256  # pairs, about, that are kept to be shown again in another order


@dataclasses.dataclass(frozen=True)
class Life:
    """How pairs are made.

    Attributes:
      augmentation: What is done to them.
      seed: Of all that is random.
      size: Height and width of what is shown.
      whole: Height and width at which pairs are made.
    """

    augmentation: Augmentation
    seed: int
    size: tuple[int, int]
    whole: tuple[int, int]

    def batches(
        self,
        stream: Callable[[int], tf.data.Dataset],
        decode: Callable[[dict], dict],
        first_step: int,
        part: Part,
    ) -> tf.data.Dataset:
        """Endless batches from a step on.

        Made pairs are kept in pools of a few batches. A pool is shown `repeats` times
        over, each time in another order and in other windows.

        Args:
          stream: From a place on, the encoded examples.
          decode: From an encoded example to the pictures of the data contract.
          first_step: Step whose batch comes first.
          part: Which part of every batch is this process's.

        Returns:
          Data set of what `trainer.data.training_batches` gives.

        Raises:
          UserError: If a device's part of the batch is not made of whole groups.
        """
        each = part.batch_size // part.replicas
        if each % GROUP:
            raise UserError(
                f"--batch_size={part.batch_size} gives each of {part.replicas} devices "
                f"{each} pairs; --augment=life makes them in groups of {GROUP}, so it "
                f"has to be a multiple of {GROUP * part.replicas}"
            )
        repeats = self.augmentation.repeats
        kept = max(4, POOL // part.batch_size) if repeats > 1 else 1  # batches a pool
        slots = part.batch_size // part.workers // GROUP  # groups a batch, here
        pool, shown = divmod(first_step, kept * repeats)
        first = pool * kept * part.batch_size
        examples = part.of(stream(first).enumerate(first))
        groups = (
            _map(examples, lambda place, e: (place, self._loaded(place, decode(e))))
            .batch(GROUP, drop_remainder=True)
            .apply(lambda groups: _map(groups, self._made))
        )
        if repeats > 1:
            pools = groups.batch(kept * slots, drop_remainder=True).prefetch(1)
            mine = part.worker * slots

            def show(number, made):
                order = self._order(number, kept, mine, slots)
                return tf.data.Dataset.from_tensor_slices(order).map(
                    lambda i: {name: value[i] for name, value in made.items()}
                )

            groups = pools.enumerate(pool).flat_map(show).skip(shown * slots)
        groups = groups.enumerate(first_step * slots)
        windows = _map(groups, lambda i, made: self._shown(i, made, part, slots))
        return windows.unbatch().batch(each, drop_remainder=True)

    def _loaded(self, index, example: dict) -> dict:
        """A decoded pair at its whole size, rotated and coloured."""
        settings = dataclasses.replace(self.augmentation, zoom=1.0, flip=False)
        return augment(example, self.whole, self._seed(index, 0), settings)

    def _made(self, indices, examples: dict) -> dict:
        """A group of pairs as uint8 pictures and masks, and depth in 1/256 m."""
        arrays = tuple(examples[name] for name in ("bg", "fgbg", "mask", "depth"))
        without = tuple(sorted(self.augmentation.without))
        scene = Scene(*_make(arrays, self._seed(indices[0], 1), without))
        return {
            "bg": tf.cast(scene.bg, tf.uint8),
            "frame": tf.cast(scene.frame, tf.uint8),
            "mask": tf.cast(tf.round(scene.mask * 255.0), tf.uint8),
            "depth": tf.cast(tf.minimum(scene.depth, MOST) * 256.0, tf.uint16),
            "index": indices,
        }

    def _order(self, pool, kept: int, mine: int, slots: int):
        """Places in a pool of the groups shown, int64 [kept * repeats * slots].

        Every slot of a batch has an order of its own, and keeps its groups: a worker
        needs no other's.
        """
        columns = []
        for slot in range(slots):
            seed = tf.random.fold_in(self._seed(pool, 2), mine + slot)
            rows = [
                tf.random.experimental.stateless_shuffle(
                    tf.range(kept, dtype=tf.int64), tf.random.fold_in(seed, number)
                )
                for number in range(self.augmentation.repeats)
            ]
            columns.append(tf.concat(rows, 0) * slots + slot)
        return tf.reshape(tf.stack(columns, 1), [-1])

    def _shown(self, place, made: dict, part: Part, slots: int) -> dict:
        """A window of each pair of a group, and its examples' places in the stream."""
        step, slot = place // slots, place % slots + part.worker * slots
        first = step * part.batch_size + slot * GROUP
        settings = self.augmentation
        scene = Scene(made["bg"], made["frame"], made["mask"], made["depth"])
        seed = self._seed(first, 3)
        scene = window(scene, self.size, seed, settings.zoom, settings.flip)
        return {
            "bg": scene.bg,
            "fgbg": scene.frame,
            "mask": scene.mask / 255.0,
            "depth": tf.minimum(scene.depth / 256.0, MOST),
            "index": made["index"],
        }

    def _seed(self, place, purpose: int):
        seed = tf.stack([tf.cast(self.seed, tf.int64), tf.cast(place, tf.int64)])
        return tf.random.fold_in(tf.cast(seed, tf.int32), purpose)


@tf.function(autograph=False)  # traced once, however many streams there are
def _make(arrays: tuple, seed, without: tuple[str, ...]) -> tuple:
    return values(make(Scene(*arrays), seed, frozenset(without)))


def _map(dataset: tf.data.Dataset, function) -> tf.data.Dataset:
    """Maps in parallel; not translated by AutoGraph, which takes half a minute."""
    plain = tf.autograph.experimental.do_not_convert(function)
    return dataset.map(plain, tf.data.AUTOTUNE, deterministic=True)
