import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.contract import MAX_DEPTH
from trainer.models import Network


def network(**fields):
    inputs = keras.Input((None, None, 2))
    return Network(keras.Model(inputs, inputs), None, ("only",), **fields)


@pytest.mark.parametrize(
    ("multiple", "size", "feed"),
    [
        (32, (64, 96), (64, 96)),
        (32, (70, 90), (64, 96)),
        (32, (79, 80), (64, 96)),  # a half is rounded up
        (32, (1, 15), (32, 32)),
        (1, (7, 9), (7, 9)),
        (5, (12, 13), (10, 15)),
    ],
)
def test_a_size_is_rounded_to_the_nearest_that_is_taken(multiple, size, feed):
    rounded = network(multiple=multiple).feed_size(size)
    assert rounded == feed
    assert all(type(side) is int for side in rounded)


def test_a_size_that_comes_with_the_pictures_is_rounded_alike():
    refine = network(multiple=32)
    specification = [tf.TensorSpec([2], tf.int32)]
    served = tf.function(refine.feed_size, input_signature=specification)
    for size in ((64, 96), (70, 90), (79, 80), (1, 15), (1080, 1920)):
        rounded = served(tf.constant(size))
        assert rounded.dtype == tf.int32
        np.testing.assert_array_equal(rounded, refine.feed_size(size))


@pytest.mark.parametrize("code", ["log", "share"])
def test_metres_are_within_the_contract(code):
    metres = network(depth_code=code).metres(tf.constant([-99.0, 0.0, 99.0])).numpy()
    assert 0 <= metres[0] < 1e-4
    assert metres[1] == {"log": 1.0, "share": MAX_DEPTH / 2}[code]
    assert metres[2] == pytest.approx(MAX_DEPTH, rel=1e-6)


def test_the_logarithm_of_the_maximum_is_that_of_older_runs():
    assert math.log(MAX_DEPTH) == 4.382026634673881
