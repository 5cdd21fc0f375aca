import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from trainer.models.dense import Dense


@pytest.mark.parametrize(
    "dtype, tolerance", [("float32", 1e-5), ("mixed_bfloat16", 2e-2)]
)
def test_maps_and_gradients_are_those_of_keras_s_layer(dtype, tolerance):
    rng = np.random.default_rng(0)
    inputs = tf.constant(rng.normal(size=(4, 40)), tf.float32)
    ours, theirs = (
        kind(30, activation="relu", dtype=dtype) for kind in (Dense, layers.Dense)
    )
    for layer in (ours, theirs):
        layer.build(inputs.shape)
    theirs.set_weights(ours.get_weights())
    results = []
    for layer in (ours, theirs):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = layer(inputs)
        results.append(
            [outputs, *tape.gradient(outputs, [inputs, *layer.trainable_weights])]
        )
    assert results[0][0].dtype == results[1][0].dtype
    for one, other in zip(*results, strict=True):
        one, other = (tf.cast(value, tf.float32).numpy() for value in (one, other))
        assert np.abs(one - other).max() <= tolerance * np.abs(other).max()
        assert np.abs(other).max() > 0
