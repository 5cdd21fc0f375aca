import keras
import numpy as np
import tensorflow as tf

from trainer.train.adamw import AdamW

SHAPES = {"kernel": (3, 3, 6, 8), "bias": (8,), "dense_kernel": (40, 7)}


def ours():
    return AdamW(0.01, decay=0.1, exempt=("bias",))


def theirs():
    optimizer = keras.optimizers.AdamW(0.01, weight_decay=0.1)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return optimizer


def descend(make, steps=20):
    """Weights and moments after some steps; the gradients are always the same."""
    rng = np.random.default_rng(0)
    weights = [
        keras.Variable(rng.normal(size=shape), dtype="float32", name=name)
        for name, shape in SHAPES.items()
    ]
    optimizer = make()
    optimizer.build(weights)

    @tf.function
    def step(gradients):
        optimizer.apply(gradients, weights)

    for number in range(steps):
        gradients = [rng.normal(0, 0.5**number, shape) for shape in SHAPES.values()]
        step([tf.constant(gradient, tf.float32) for gradient in gradients])
    moments = {variable.name: variable.numpy() for variable in optimizer.variables}
    return [weight.numpy() for weight in weights], moments


def test_it_does_what_keras_does():
    weights, moments = descend(ours)
    expected_weights, expected_moments = descend(theirs)
    for found, expected in zip(weights, expected_weights, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    assert moments.keys() == expected_moments.keys()
    for name, expected in expected_moments.items():
        # 1 - beta is rounded to float32 here, and not there.
        np.testing.assert_allclose(moments[name], expected, rtol=1e-4, atol=1e-9)
