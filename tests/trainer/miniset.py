"""A small data set after the contract, written without fgbg_tfds.

The second implementation of the contract: if the trainer runs on this one and on
the real one, it relies on nothing but the contract.
"""

import io

import numpy as np
import PIL.Image
import tensorflow_datasets as tfds

SIZE = 64
COUNTS = {"train": 48, "validation": 8, "test": 12, "cross": 4}


class Miniset(tfds.core.GeneratorBasedBuilder):
    """Rectangles before slopes: the ground comes nearer from top to bottom."""

    VERSION = tfds.core.Version("1.0.0")
    BUILDER_CONFIGS = [tfds.core.BuilderConfig(name="sample")]  # noqa: RUF012

    def _info(self):
        names = tfds.features.ClassLabel(names=["one", "two", "three"])
        shape = (SIZE, SIZE)
        return tfds.core.DatasetInfo(
            builder=self,
            features=tfds.features.FeaturesDict(
                {
                    "bg": tfds.features.Image(
                        shape=(*shape, 3), encoding_format="jpeg"
                    ),
                    "fgbg": tfds.features.Image(
                        shape=(*shape, 3), encoding_format="jpeg"
                    ),
                    "mask": tfds.features.Image(shape=(*shape, 1)),
                    "depth": tfds.features.Image(
                        shape=(*shape, 1), dtype=np.uint16, encoding_format="png"
                    ),
                    "bbox": tfds.features.BBoxFeature(),
                    "foreground": names,
                    "background": names,
                    "placement": np.int32,
                    "flipped": np.bool_,
                }
            ),
        )

    def _split_generators(self, dl_manager):
        del dl_manager
        return {name: self._generate_examples(name) for name in COUNTS}

    def _generate_examples(self, split):
        for number in range(COUNTS[split]):
            yield number, compose(np.random.default_rng([len(split), number]))


def compose(rng):
    """Draws one example."""
    slope = np.linspace(20, 4, SIZE)[:, None] * rng.uniform(0.8, 1.2)
    depth = np.broadcast_to(slope, (SIZE, SIZE)).copy()
    shade = (depth * 10)[..., None] * rng.uniform(0.5, 1.0, 3)
    bg = np.clip(shade + rng.normal(0, 4, (SIZE, SIZE, 3)), 0, 255).astype(np.uint8)
    top, left = rng.integers(4, SIZE - 28, 2)
    height, width = rng.integers(12, 24, 2)
    mask = np.zeros((SIZE, SIZE, 1), np.uint8)
    mask[top : top + height, left : left + width] = 255
    there = mask[..., 0] > 0
    fgbg = bg.copy()
    fgbg[there] = 255 - rng.integers(0, 80, 3)
    depth[there] = depth[top + height - 1, 0]
    depth[:2] = 0
    return {
        "bg": _jpeg(bg),
        "fgbg": _jpeg(fgbg),
        "mask": mask,
        "depth": np.round(depth * 256).astype(np.uint16)[..., None],
        "bbox": tfds.features.BBox(
            top / SIZE, left / SIZE, (top + height) / SIZE, (left + width) / SIZE
        ),
        "foreground": "one",
        "background": "two",
        "placement": 0,
        "flipped": False,
    }


def _jpeg(picture):
    memory = io.BytesIO()
    PIL.Image.fromarray(picture).save(memory, "JPEG", quality=90)
    memory.seek(0)
    return memory
