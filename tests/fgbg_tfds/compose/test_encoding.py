import io

import numpy as np
import tensorflow as tf
from PIL import Image

from fgbg_tfds.compose import encoding


def decode(data):
    return np.asarray(Image.open(io.BytesIO(data)))


def test_depth_is_at_most_one_percent_off():
    metres = np.geomspace(0.5, 80, 64 * 64, dtype=np.float32).reshape(64, 64)
    stored = decode(encoding.encode_depth(metres))
    assert stored.dtype == np.uint16
    # Near by, a unit of 1/256 m is part of the error.
    assert (np.abs(stored / 256 - metres) <= 0.01 * metres + 0.5 / 256).all()
    assert stored.min() == 128 and stored.max() == 80 * 256


def test_depth_takes_few_values():
    metres = np.linspace(0.5, 80, 200_000)[None]
    assert len(np.unique(encoding.quantise_depth(metres))) <= 257


def test_depth_reads_the_same_in_tensorflow_and_pillow():
    metres = np.random.default_rng(0).uniform(0, 80, (7, 11)).astype(np.float32)
    data = encoding.encode_depth(metres)
    read = tf.io.decode_png(data, dtype=tf.uint16)[..., 0].numpy()
    assert (read == decode(data)).all()
    assert (read == encoding.quantise_depth(metres)).all()


def test_unknown_depth_is_zero_and_known_never():
    metres = np.array([[0, 1e-3, 0.2, 200, 1e9]], np.float32)
    assert encoding.quantise_depth(metres).tolist() == [[0, 128, 128, 20480, 20480]]


def test_order_of_depth_survives():
    metres = np.random.default_rng(0).uniform(0.5, 80, 10_000)
    stored = encoding.quantise_depth(metres).astype(int)
    assert (np.diff(stored[np.argsort(metres)]) >= 0).all()


def test_mask_is_lossless():
    mask = np.random.default_rng(0).integers(0, 256, (33, 20, 1), np.uint8)
    assert (decode(encoding.encode_mask(mask)) == mask[..., 0]).all()


def test_photo_is_close_and_rgb():
    ramp = np.linspace(0, 255, 64, dtype=np.uint8)
    image = np.stack([np.tile(ramp, (64, 1))] * 3, -1)
    image[..., 1] = 80
    assert np.abs(decode(encoding.encode_photo(image)).astype(int) - image).max() < 12
